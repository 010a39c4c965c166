package net.postern.node;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what was started, last first, unless the whole start succeeded. */
final class Rollback implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Rollback.class);

  private final Deque<AutoCloseable> started = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T part) {
    started.push(part);
    return part;
  }

  /** Everything runs: nothing is to be closed here any more. */
  void disarm() {
    started.clear();
  }

  @Override
  public void close() {
    while (!started.isEmpty()) {
      AutoCloseable part = started.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("{} did not close after a failed start", part.getClass().getSimpleName(), e);
      }
    }
  }
}
