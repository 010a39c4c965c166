package net.postern.bench;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import net.postern.id.MessageId;
import net.postern.vault.MessageFrame;
import net.postern.vault.MessageVault;
import net.postern.vault.VaultUnavailableException;

/** Keeps messages in a vault from many threads at once, as sessions do. */
final class VaultLoad {
  private static final byte[] META =
      "{\"version\":1,\"records\":[]}".getBytes(StandardCharsets.UTF_8);

  private final MessageVault vault;
  private final MessageFrame.Holder holder;

  VaultLoad(MessageVault vault, MessageFrame.Holder holder) {
    this.vault = vault;
    this.holder = holder;
  }

  /**
   * What a load came to.
   *
   * @param kept messages that the vault has
   * @param seconds from the first to the last
   * @param latencies of each
   */
  record Result(int kept, double seconds, Latencies latencies) {
    double rate() {
      return kept / seconds;
    }
  }

  /**
   * As many as go, from a number of senders that each wait for their reply.
   *
   * @throws BenchException when the vault refuses one
   */
  Result closed(int messages, int bytes, int senders) throws BenchException {
    byte[] content = content(bytes);
    Latencies latencies = new Latencies(messages);
    AtomicInteger left = new AtomicInteger(messages);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    long start = System.nanoTime();
    List<Thread> threads =
        java.util.stream.IntStream.range(0, senders)
            .mapToObj(
                each ->
                    Thread.ofVirtual()
                        .start(
                            () -> {
                              while (left.getAndDecrement() > 0 && failure.get() == null) {
                                keep(content, latencies, failure);
                              }
                            }))
            .toList();
    for (Thread thread : threads) {
      join(thread);
    }
    return result(messages, start, latencies, failure);
  }

  /**
   * A stated number a second, whether the earlier ones are answered or not.
   *
   * @param most how many may wait for their reply at one time
   */
  Result open(int rate, int seconds, int bytes, int most) throws BenchException {
    byte[] content = content(bytes);
    int messages = Math.multiplyExact(rate, seconds);
    Latencies latencies = new Latencies(messages);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Semaphore waiting = new Semaphore(most);
    long start = System.nanoTime();
    for (int i = 0; i < messages && failure.get() == null; i++) {
      long due = start + i * 1_000_000_000L / rate;
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      waiting.acquireUninterruptibly();
      Thread unused =
          Thread.ofVirtual()
              .start(
                  () -> {
                    keep(content, latencies, failure);
                    waiting.release();
                  });
    }
    waiting.acquireUninterruptibly(most);
    return result(messages, start, latencies, failure);
  }

  private void keep(byte[] content, Latencies latencies, AtomicReference<Throwable> failure) {
    long begun = System.nanoTime();
    try {
      MessageFrame frame = new MessageFrame(MessageId.create(), List.of(holder), META, content);
      if (vault.keep(frame).copies() < 2) {
        throw new IllegalStateException("acknowledged with fewer than two copies");
      }
      latencies.add(System.nanoTime() - begun);
    } catch (VaultUnavailableException | RuntimeException e) {
      failure.compareAndSet(null, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      failure.compareAndSet(null, e);
    }
  }

  private static Result result(
      int messages, long start, Latencies latencies, AtomicReference<Throwable> failure)
      throws BenchException {
    double seconds = (System.nanoTime() - start) / 1e9;
    Throwable why = failure.get();
    if (why != null) {
      throw new BenchException("the vault refused a message: " + why.getMessage(), why);
    }
    return new Result(messages, seconds, latencies);
  }

  private static void join(Thread thread) throws BenchException {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchException("interrupted", e);
    }
  }

  // Encrypted bytes do not compress, and neither do these.
  private static byte[] content(int bytes) {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    return content;
  }
}
