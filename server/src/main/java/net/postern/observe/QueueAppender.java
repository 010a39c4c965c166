package net.postern.observe;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Takes log lines over to one thread that writes them, many with one call to the system.
 *
 * <p>The queue is bounded. A caller waits only when it is full: when whoever reads the log has been
 * stuck for thousands of lines; lines are never dropped. {@link #stop} writes what is left.
 *
 * <p>Threads: any may append; the one platform thread made here owns encoder, buffer and stream.
 */
final class QueueAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
  /** Lines between callers and writer: several seconds of a node under full load. */
  static final int QUEUE = 1 << 15;

  private static final int BATCH = 1_000;
  private static final int MAX_BUFFER = 1 << 20;
  private static final long STOP_SECONDS = 10;

  /** Pause between two writes. */
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final BlockingQueue<ILoggingEvent> queue = new ArrayBlockingQueue<>(QUEUE);
  private final LineEncoder encoder;
  private final OutputStream out;
  private final Thread writer;
  private volatile boolean ending;

  QueueAppender(LineEncoder encoder, OutputStream out) {
    this.encoder = encoder;
    this.out = out;
    this.writer = Thread.ofPlatform().name("log").daemon().unstarted(this::write);
  }

  @Override
  public void start() {
    super.start();
    writer.start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    // Arguments may change after this call; the text is fixed now.
    event.getFormattedMessage();
    boolean interrupted = false;
    try {
      while (!ending) {
        try {
          queue.put(event);
          return;
        } catch (InterruptedException e) {
          // An interrupted caller still has its line written.
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Ends, after writing what is left; gives up after some seconds when nobody reads. */
  @Override
  public void stop() {
    if (!isStarted()) {
      return;
    }
    super.stop();
    ending = true;
    boolean interrupted = false;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
    while (writer.isAlive() && System.nanoTime() - end < 0) {
      try {
        writer.join(100);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void write() {
    List<ILoggingEvent> batch = new ArrayList<>(BATCH);
    StringBuilder text = new StringBuilder(1 << 16);
    while (true) {
      batch.clear();
      // Read before the poll: what was put before the end is then still found.
      boolean last = ending;
      try {
        ILoggingEvent first = queue.poll(last ? 0 : 100, TimeUnit.MILLISECONDS);
        if (first == null) {
          if (last) {
            return;
          }
          continue;
        }
        batch.add(first);
      } catch (InterruptedException e) {
        continue;
      }
      queue.drainTo(batch, BATCH - 1);
      for (ILoggingEvent event : batch) {
        encoder.append(text, event);
        if (text.length() > MAX_BUFFER) {
          flush(text);
        }
      }
      flush(text);
      if (!ending) {
        // Lines that come meanwhile need not wake this thread each: that cost more than writing
        // them.
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private void flush(StringBuilder text) {
    try {
      out.write(text.toString().getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      // Whoever read the log is gone; there is nobody to tell, and mail goes on.
    }
    text.setLength(0);
  }
}
