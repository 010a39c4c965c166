package net.postern.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.postern.filter.Finding;
import net.postern.filter.Judgement;
import net.postern.id.CustomerId;
import net.postern.tenant.Customer;
import org.junit.jupiter.api.Test;

class PolicyTest {
  private static final Customer CUSTOMER =
      new Customer(CustomerId.create(), "Example Ltd", 4, 6, 15, "[spam]");

  private static Judgement judgement(double score) {
    return new Judgement(score, 0.5, List.of(new Finding("A_TEST", score, "")), List.of());
  }

  @Test
  void eachScoreHasItsDisposition() {
    assertEquals(new Disposition.Deliver(), Policy.decide(judgement(3.999), CUSTOMER));
    Disposition.Flag flag =
        assertInstanceOf(Disposition.Flag.class, Policy.decide(judgement(4), CUSTOMER));
    assertEquals("[spam]", flag.subjectTag());
    assertTrue(flag.header().startsWith("X-Spam-Flag: YES\r\n"), flag::header);
    assertTrue(flag.header().endsWith("\r\n"), flag::header);
    assertEquals(
        new Disposition.Hold("score 6.0 of 6.0: A_TEST"), Policy.decide(judgement(6), CUSTOMER));
    assertEquals(
        new Disposition.Refuse("score 15.0 of 15.0: A_TEST"),
        Policy.decide(judgement(15), CUSTOMER));
  }

  /** Promise 5: what is down is never clean; but what is refused anyway need not wait for it. */
  @Test
  void anUnavailableStageMakesTheMessageWait() {
    for (double score : new double[] {-5, 0, 5, 7}) {
      Judgement away =
          new Judgement(
              score, 0.5, List.of(), List.of(new Judgement.Unavailable("virus", "no answer")));
      assertEquals(
          new Disposition.Wait("virus is unavailable: no answer"), Policy.decide(away, CUSTOMER));
    }
    Judgement bad =
        new Judgement(20, 1, List.of(), List.of(new Judgement.Unavailable("virus", "no answer")));
    assertInstanceOf(Disposition.Refuse.class, Policy.decide(bad, CUSTOMER));
  }

  private static int severity(Disposition disposition) {
    return switch (disposition) {
      case Disposition.Deliver _ -> 0;
      case Disposition.Flag _ -> 1;
      case Disposition.Hold _ -> 2;
      case Disposition.Refuse _ -> 3;
      case Disposition.Wait _ -> throw new AssertionError("nothing is away");
    };
  }

  /** Pure: the same input, the same answer; and a higher score is never treated more kindly. */
  @Property(tries = 300)
  void pureAndMonotone(
      @ForAll @DoubleRange(min = -50, max = 50) double one,
      @ForAll @DoubleRange(min = -50, max = 50) double two) {
    assertEquals(Policy.decide(judgement(one), CUSTOMER), Policy.decide(judgement(one), CUSTOMER));
    int low = severity(Policy.decide(judgement(Math.min(one, two)), CUSTOMER));
    int high = severity(Policy.decide(judgement(Math.max(one, two)), CUSTOMER));
    assertTrue(low <= high);
  }

  @Test
  void explanationsNameTheHeaviestFirstAndNotTooMany() {
    List<Finding> findings =
        List.of(
            new Finding("SMALL", 0.1, ""),
            new Finding("GOOD", -3, ""),
            new Finding("BIG", 5, ""),
            new Finding("C", 1, ""),
            new Finding("D", 1, ""),
            new Finding("E", 1, ""),
            new Finding("F", 1, ""));
    assertEquals("BIG, C, D, E, F", Policy.why(new Judgement(9, 1, findings, List.of())));
  }
}
