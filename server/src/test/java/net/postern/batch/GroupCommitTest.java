package net.postern.batch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;

class GroupCommitTest {
  private static final GroupCommit.Limits LIMITS =
      new GroupCommit.Limits(10, 1_000, 8, Duration.ofMillis(1));

  private static <T> void promiseAll(List<GroupCommit.Item<T, T>> group) {
    group.forEach(item -> item.promise().complete(item.value()));
  }

  /** Whatever the bounds: all items come out, each sender's in its order, no group too large. */
  @Property(tries = 60)
  void keepsOrderAndLosesNothing(
      @ForAll @IntRange(min = 1, max = 12) int items,
      @ForAll @IntRange(min = 1, max = 40) int weight,
      @ForAll @IntRange(min = 1, max = 9) int queue,
      @ForAll @IntRange(min = 1, max = 3) int senders)
      throws Exception {
    List<List<Integer>> groups = Collections.synchronizedList(new ArrayList<>());
    int each = 40;
    try (GroupCommit<Integer, Integer> commits =
        new GroupCommit<>(
            "t",
            new GroupCommit.Limits(items, weight, queue, Duration.ofMillis(1)),
            value -> value % 7,
            group -> {
              groups.add(group.stream().map(GroupCommit.Item::value).toList());
              promiseAll(group);
            })) {
      List<CompletableFuture<Integer>> promises = Collections.synchronizedList(new ArrayList<>());
      List<Thread> threads = new ArrayList<>();
      for (int sender = 0; sender < senders; sender++) {
        int base = sender * 1_000;
        threads.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      for (int i = 0; i < each; i++) {
                        try {
                          promises.add(commits.submit(base + i));
                        } catch (InterruptedException e) {
                          throw new IllegalStateException(e);
                        }
                      }
                    }));
      }
      for (Thread thread : threads) {
        assertTrue(thread.join(Duration.ofSeconds(20)));
      }
      for (CompletableFuture<Integer> promise : promises) {
        promise.get(20, TimeUnit.SECONDS);
      }
      assertEquals(senders * each, promises.size());
    }
    List<Integer> all = groups.stream().flatMap(List::stream).toList();
    for (int sender = 0; sender < senders; sender++) {
      int base = sender * 1_000;
      List<Integer> mine = all.stream().filter(v -> v / 1_000 == base / 1_000).toList();
      assertEquals(
          java.util.stream.IntStream.range(base, base + each).boxed().toList(), mine, "in order");
    }
    for (List<Integer> group : groups) {
      assertTrue(group.size() <= items, group::toString);
      assertTrue(
          group.size() == 1 || group.stream().mapToInt(v -> v % 7).sum() <= weight,
          group::toString);
    }
  }

  /**
   * Many close at a random moment: each promise ends, and every rejected item was not committed.
   */
  @Property(tries = 100)
  void closingLeavesNoPromiseOpen(@ForAll @IntRange(min = 0, max = 30) int before)
      throws Exception {
    List<Integer> committed = Collections.synchronizedList(new ArrayList<>());
    GroupCommit<Integer, Integer> commits =
        new GroupCommit<>(
            "t",
            LIMITS,
            value -> 1,
            group -> {
              group.forEach(item -> committed.add(item.value()));
              promiseAll(group);
            });
    List<CompletableFuture<Integer>> promises = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    CountDownLatch some = new CountDownLatch(before);
    for (int sender = 0; sender < 4; sender++) {
      int base = sender * 1_000;
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      for (int i = 0; i < 200; i++) {
                        promises.add(commits.submit(base + i));
                        some.countDown();
                      }
                    } catch (RejectedExecutionException e) {
                      some.countDown();
                    } catch (InterruptedException e) {
                      throw new IllegalStateException(e);
                    }
                  }));
    }
    assertTrue(some.await(20, TimeUnit.SECONDS));
    commits.close();
    for (Thread thread : threads) {
      assertTrue(thread.join(Duration.ofSeconds(20)), "a sender is stuck");
    }
    for (CompletableFuture<Integer> promise : promises) {
      assertTrue(committed.contains(promise.get(20, TimeUnit.SECONDS)));
    }
    assertEquals(committed.size(), promises.size());
    assertThrows(RejectedExecutionException.class, () -> commits.submit(1));
  }

  /** A commit under way when close comes must run to its end as if nothing happened. */
  @Test
  void closeDoesNotInterruptTheCommitter() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicBoolean interrupted = new AtomicBoolean();
    GroupCommit<Integer, Integer> commits =
        new GroupCommit<>(
            "t",
            LIMITS,
            value -> 1,
            group -> {
              entered.countDown();
              try {
                go.await();
              } catch (InterruptedException e) {
                interrupted.set(true);
                throw e;
              }
              promiseAll(group);
            });
    CompletableFuture<Integer> first = commits.submit(1);
    assertTrue(entered.await(20, TimeUnit.SECONDS));
    CompletableFuture<Integer> second = commits.submit(2);
    Thread closer = Thread.ofVirtual().start(commits::close);
    Await.until(
        () ->
            closer.getState() == Thread.State.TIMED_WAITING
                || closer.getState() == Thread.State.WAITING);
    go.countDown();
    assertTrue(closer.join(Duration.ofSeconds(20)));
    assertFalse(interrupted.get());
    assertEquals(1, first.get(1, TimeUnit.SECONDS));
    assertEquals(2, second.get(1, TimeUnit.SECONDS));
  }

  @Test
  void aCommitterThatHangsAtCloseLeavesNobodyWaiting() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    GroupCommit<Integer, Integer> commits =
        new GroupCommit<>(
            "t",
            new GroupCommit.Limits(1, 1, 8, Duration.ZERO),
            value -> 1,
            group -> never.await());
    CompletableFuture<Integer> inHand = commits.submit(1);
    CompletableFuture<Integer> queued = commits.submit(2);
    commits.close(Duration.ofMillis(50));
    for (CompletableFuture<Integer> promise : List.of(inHand, queued)) {
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> promise.get(1, TimeUnit.SECONDS));
      assertInstanceOf(RejectedExecutionException.class, failure.getCause());
    }
    never.countDown();
  }

  @Test
  void failuresAndForgottenItemsAreReportedAndTheNextGroupGoesOn() throws Exception {
    try (GroupCommit<String, String> commits =
        new GroupCommit<>(
            "t",
            new GroupCommit.Limits(1, 1, 8, Duration.ZERO),
            value -> 1,
            group -> {
              switch (group.getFirst().value()) {
                case "throws" -> throw new IllegalArgumentException("no");
                case "error" -> throw new StackOverflowError("no");
                case "forgets" -> {}
                default -> promiseAll(group);
              }
            })) {
      for (String bad : List.of("throws", "error", "forgets")) {
        CompletableFuture<String> promise = commits.submit(bad);
        assertThrows(ExecutionException.class, () -> promise.get(20, TimeUnit.SECONDS), bad);
      }
      assertEquals("good", commits.submit("good").get(20, TimeUnit.SECONDS));
    }
  }

  /** A pace bounds how many groups there are; the first one does not wait for it. */
  @Test
  void groupsBeginNoSoonerThanThePace() throws Exception {
    Duration pace = Duration.ofMillis(100);
    AtomicInteger groups = new AtomicInteger();
    long start = System.nanoTime();
    try (GroupCommit<Integer, Integer> commits =
        new GroupCommit<>(
            "t",
            new GroupCommit.Limits(1_000, 1_000_000, 1_000, Duration.ZERO, pace),
            value -> 1,
            group -> {
              groups.incrementAndGet();
              promiseAll(group);
            })) {
      for (int i = 0; i < 5; i++) {
        commits.submit(i).get(20, TimeUnit.SECONDS);
      }
      long took = System.nanoTime() - start;
      assertEquals(5, groups.get(), "one after the other: each alone");
      assertTrue(took >= pace.multipliedBy(4).toNanos(), took + " ns");
    }
    try (GroupCommit<Integer, Integer> commits =
        new GroupCommit<>(
            "t",
            new GroupCommit.Limits(1_000, 1_000_000, 1_000, Duration.ZERO, Duration.ofHours(1)),
            value -> 1,
            GroupCommitTest::promiseAll)) {
      commits.submit(1).get(20, TimeUnit.SECONDS);
      assertFalse(commits.submit(2).isDone(), "the control: the second one waits");
    }
  }

  @Test
  void aFullGroupDoesNotWaitForThePaceAndNeitherDoesTheEnd() throws Exception {
    GroupCommit.Limits hour =
        new GroupCommit.Limits(3, 100, 50, Duration.ZERO, Duration.ofHours(1));
    try (GroupCommit<Integer, Integer> commits =
        new GroupCommit<>("t", hour, value -> value, GroupCommitTest::promiseAll)) {
      commits.submit(1).get(20, TimeUnit.SECONDS);
      CompletableFuture<Integer> waits = commits.submit(1);
      CompletableFuture<Integer> second = commits.submit(1);
      assertFalse(waits.isDone(), "the control: two are no full group");
      commits.submit(1).get(20, TimeUnit.SECONDS);
      waits.get(20, TimeUnit.SECONDS);
      second.get(20, TimeUnit.SECONDS);
      CompletableFuture<Integer> heavy = commits.submit(60);
      CompletableFuture<Integer> last = commits.submit(60);
      heavy.get(20, TimeUnit.SECONDS);
      assertFalse(last.isDone(), "the control: what is left waits");
    }
  }
}
