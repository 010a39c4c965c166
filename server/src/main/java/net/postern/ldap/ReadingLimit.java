package net.postern.ldap;

import com.unboundid.ldap.sdk.LDAPConnection;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Ends the reading of one directory when it takes too long in all: each reply has its own limit of
 * time, but a directory that is slow enough gives any number of them. Its connection is closed
 * then, which wakes whoever waits for it. Safe for many threads.
 */
final class ReadingLimit implements AutoCloseable {
  private final Duration limit;
  private final CompletableFuture<Boolean> late = new CompletableFuture<>();
  private Optional<LDAPConnection> connection = Optional.empty();
  private boolean over;

  /**
   * @param limit from now on
   */
  ReadingLimit(Duration limit) {
    this.limit = limit;
    // Not on the timer's own thread: a goodbye may wait for the server.
    var _ =
        late.completeOnTimeout(true, limit.toMillis(), TimeUnit.MILLISECONDS)
            .thenAcceptAsync(this::end, task -> Thread.ofVirtual().name("ldap-limit").start(task));
  }

  private void end(boolean isLate) {
    if (!isLate) {
      return;
    }
    Optional<LDAPConnection> open;
    synchronized (this) {
      over = true;
      open = connection;
    }
    open.ifPresent(LDAPConnection::close);
  }

  /**
   * Names the connection that is to be closed; an earlier one is no more.
   *
   * @return whether there is time left to use it
   */
  synchronized boolean covers(LDAPConnection next) {
    connection = Optional.of(next);
    return !over;
  }

  /** Whether the time is over. */
  synchronized boolean isOver() {
    return over;
  }

  /** What there is to say when it is over. */
  String said() {
    return "it was not read within " + limit.toSeconds() + " seconds";
  }

  @Override
  public void close() {
    late.complete(false);
  }
}
