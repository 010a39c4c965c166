package net.postern.edge.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;

class PendingTest {

  @Test
  void whatIsForLaterIsAskedOnceByWhoeverNeedsIt() {
    AtomicInteger asked = new AtomicInteger();
    Pending<String> later =
        Pending.later(
            () -> {
              asked.incrementAndGet();
              return "yes";
            });
    assertFalse(later.isDone());
    assertEquals(Optional.empty(), later.now());
    assertEquals(0, asked.get());
    assertEquals("yes", later.await());
    assertEquals("yes", later.await());
    assertEquals(Optional.of("yes"), later.now());
    assertEquals(1, asked.get());
    // The control: what is begun needs nobody who waits.
    Pending<Integer> begun = Pending.begin(asked::incrementAndGet);
    Await.until(begun::isDone);
    assertEquals(Optional.of(2), begun.now());
  }

  @Test
  void aQuestionThatFailsIsToldToWhoeverWaits() {
    Pending<String> later =
        Pending.later(
            () -> {
              throw new IllegalArgumentException("odd");
            });
    IllegalStateException e = assertThrows(IllegalStateException.class, later::await);
    assertEquals(
        IllegalArgumentException.class, Optional.ofNullable(e.getCause()).orElseThrow().getClass());
    assertEquals(Optional.empty(), later.now());
    assertEquals("no", Pending.of("no").await());
  }
}
