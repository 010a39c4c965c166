package net.postern.blob;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.CompletedPart;

/**
 * Makes one whole object of bytes that come little by little: a multipart upload beside the pieces
 * of an object that grows, or the way of a large object that is written at once. Keeps at most two
 * parts in memory: one that fills and one that is on its way. For one thread at a time.
 *
 * <p>It is a convenience, never what a byte's safety rests on: when a part fails, or the network is
 * too slow for everything twice, the upload is given up and the pieces stay.
 */
final class S3Upload {
  private static final Logger LOG = LoggerFactory.getLogger(S3Upload.class);

  /** Servers want at least 5 MiB in every part but the last. */
  static final int PART_BYTES = 8 << 20;

  private static final int FIRST_BUFFER = 1 << 16;

  private final S3Calls calls;
  private final ExecutorService threads;
  private final String key;
  private final Locks locks;

  // How long who adds bytes waits for the part before; beyond that the upload is given up.
  private final long patienceMillis;

  private byte[] part = new byte[0];
  private int filled;
  private long length;
  private final List<CompletedPart> done = new ArrayList<>();
  private Optional<Future<CompletedPart>> onItsWay = Optional.empty();
  private Optional<String> id = Optional.empty();
  private boolean givenUp;
  private Optional<IOException> why = Optional.empty();

  /** Until when an object that is finished now is to be locked. */
  @FunctionalInterface
  interface Locks {
    Optional<Instant> until();
  }

  S3Upload(S3Calls calls, ExecutorService threads, String key, Locks locks, long patienceMillis) {
    this.calls = calls;
    this.threads = threads;
    this.key = key;
    this.locks = locks;
    this.patienceMillis = patienceMillis;
  }

  boolean givenUp() {
    return givenUp;
  }

  /** Adds bytes. When that fails the upload is given up and nothing is thrown. */
  void add(S3Calls.Body bytes) {
    try {
      int taken = 0;
      while (!givenUp && taken < bytes.length()) {
        int some = Math.min(bytes.length() - taken, PART_BYTES - filled);
        room(filled + some);
        System.arraycopy(bytes.array(), bytes.offset() + taken, part, filled, some);
        filled += some;
        length += some;
        taken += some;
        if (filled == PART_BYTES) {
          send();
        }
      }
    } catch (IOException e) {
      LOG.debug("the upload of {} is given up", key, e);
      why = Optional.of(e);
      giveUp();
    }
  }

  /** Takes back bytes at the end. Those that are sent cannot be: then the upload is given up. */
  void truncate(long to) {
    long back = length - to;
    if (back > filled) {
      giveUp();
    } else if (!givenUp) {
      filled -= (int) back;
      length = to;
    }
  }

  /** Ends it without an object; what the server has of it is deleted, now or when it answers. */
  void giveUp() {
    if (givenUp) {
      return;
    }
    givenUp = true;
    part = new byte[0];
    filled = 0;
    Optional<Future<CompletedPart>> last = onItsWay;
    id.ifPresent(
        upload ->
            threads.execute(
                () -> {
                  try {
                    if (last.isPresent()) {
                      // A part that comes after the abort would stay.
                      last.get().get();
                    }
                  } catch (InterruptedException | ExecutionException e) {
                    LOG.debug("the last part of {} failed", key, e);
                  }
                  try {
                    calls.abortMultipart(key, upload);
                  } catch (IOException | RuntimeException e) {
                    LOG.debug("it is deleted when it is days old: upload of {}", key, e);
                  }
                }));
  }

  /**
   * Makes the object of everything that was added.
   *
   * @return its version, where the bucket keeps versions
   * @throws IOException when there may be no object; what there was stays
   */
  Optional<String> finish() throws IOException {
    if (givenUp) {
      throw why.orElseGet(() -> new IOException("the upload of " + key + " was given up"));
    }
    try {
      if (id.isEmpty()) {
        return calls.put(key, new S3Calls.Body(part, 0, filled), locks.until());
      }
      // Nobody waits for what is finished in the background.
      collect(Long.MAX_VALUE);
      if (filled > 0) {
        send();
      }
      collect(Long.MAX_VALUE);
      Optional<String> version = calls.completeMultipart(key, id.get(), done, length);
      lock();
      return version;
    } catch (IOException e) {
      giveUp();
      throw e;
    }
  }

  // The lock counts from the end of the object, not from when the upload began; and some servers
  // forget what was said then.
  private void lock() throws IOException {
    Optional<Instant> until = locks.until();
    if (until.isPresent()) {
      calls.lock(key, until.get());
    }
  }

  private void room(int wanted) {
    if (part.length < wanted) {
      int size = Math.max(FIRST_BUFFER, Math.max(wanted, Math.min(PART_BYTES, part.length * 2)));
      part = Arrays.copyOf(part, size);
    }
  }

  private void send() throws IOException {
    collect(patienceMillis);
    if (id.isEmpty()) {
      id = Optional.of(calls.beginMultipart(key, locks.until()));
    }
    String upload = id.get();
    int number = done.size() + 1;
    S3Calls.Body body = new S3Calls.Body(part, 0, filled);
    onItsWay = Optional.of(threads.submit(() -> calls.part(key, upload, number, body)));
    part = new byte[0];
    filled = 0;
  }

  private void collect(long millis) throws IOException {
    if (onItsWay.isEmpty()) {
      return;
    }
    try {
      done.add(onItsWay.get().get(millis, TimeUnit.MILLISECONDS));
      onItsWay = Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while a part was sent", e);
    } catch (TimeoutException e) {
      throw new IOException("the part before takes too long", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException failure
          ? failure
          : new IOException("a part could not be sent", e.getCause());
    }
  }
}
