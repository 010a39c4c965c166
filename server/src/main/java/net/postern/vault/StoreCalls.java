package net.postern.vault;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import net.postern.blob.ObjectStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks several stores the same thing at once and waits for a bounded time. Each call has a
 * short-lived thread of its own, because a store may hang; one that still hangs from an earlier
 * call is passed over, so that there is at most one thread for each store. For one caller.
 */
final class StoreCalls {
  private static final Logger LOG = LoggerFactory.getLogger(StoreCalls.class);

  private final String name;
  private final Set<ObjectStore> busy = ConcurrentHashMap.newKeySet();

  /**
   * @param name of the threads
   */
  StoreCalls(String name) {
    this.name = name;
  }

  /** What is asked. */
  @FunctionalInterface
  interface Call<T> {
    T on(ObjectStore store) throws IOException;
  }

  /**
   * Asks.
   *
   * @param what for the log, when a store fails
   * @return the answers of those that succeeded within the limit
   */
  <T> Map<ObjectStore, T> all(
      String what, List<ObjectStore> stores, Duration limit, Call<? extends T> call)
      throws InterruptedException {
    List<ObjectStore> asked = stores.stream().filter(busy::add).toList();
    Map<ObjectStore, T> answers = new HashMap<>();
    Queue<Error> errors = new ConcurrentLinkedQueue<>();
    CountDownLatch open = new CountDownLatch(asked.size());
    for (ObjectStore store : asked) {
      Thread.ofPlatform()
          .name(name + "-" + store.name())
          .daemon()
          .start(
              () -> {
                try {
                  T answer = call.on(store);
                  synchronized (answers) {
                    answers.put(store, answer);
                  }
                } catch (IOException | RuntimeException e) {
                  LOG.warn("store {}: cannot {}: {}", store.name(), what, e.toString());
                } catch (Error e) {
                  errors.add(e);
                } finally {
                  busy.remove(store);
                  open.countDown();
                }
              });
    }
    if (!open.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
      LOG.warn("a store does not {} within {}; it is passed over", what, limit);
    }
    Error error = errors.poll();
    if (error != null) {
      throw error;
    }
    synchronized (answers) {
      return Map.copyOf(answers);
    }
  }
}
