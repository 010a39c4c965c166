package net.postern.ldap;

import com.unboundid.asn1.ASN1OctetString;
import com.unboundid.ldap.sdk.Attribute;
import com.unboundid.ldap.sdk.Entry;
import com.unboundid.ldap.sdk.LDAPConnection;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Ends the reading of one directory when it takes too long or gives too much in all: each reply has
 * its own limits, but a directory gives any number of them. Its connection is closed then, which
 * wakes whoever waits for it. Safe for many threads.
 */
final class ReadingLimit implements AutoCloseable {
  /** What a value takes in memory besides itself, in bytes. */
  private static final int VALUE = 48;

  private final CompletableFuture<Boolean> late = new CompletableFuture<>();
  private Optional<LDAPConnection> connection = Optional.empty();
  private long left;
  private boolean over;
  private String said;

  /**
   * @param limit from now on
   * @param bytes of entries, for {@link #took}
   */
  ReadingLimit(Duration limit, long bytes) {
    this.left = bytes;
    this.said = "it was not read within " + limit.toSeconds() + " seconds";
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
   * Breaks off at once.
   *
   * @param why for a person who looks after the directory
   */
  void breakOff(String why) {
    synchronized (this) {
      if (over) {
        return;
      }
      said = why;
    }
    end(true);
  }

  /**
   * Counts an entry that came, and breaks off when it is too much.
   *
   * @return whether the entry may be kept
   */
  boolean took(Entry entry) {
    long bytes = bytes(entry);
    synchronized (this) {
      if (over) {
        return false;
      }
      left -= bytes;
      if (left >= 0) {
        return true;
      }
    }
    breakOff(
        "its entries are larger than is read of one directory; narrow the base DN or the filters");
    return false;
  }

  // As it is kept: each value is an object of its own.
  private static long bytes(Entry entry) {
    long bytes = entry.getDN().length();
    for (Attribute attribute : entry.getAttributes()) {
      bytes += attribute.getName().length();
      for (ASN1OctetString value : attribute.getRawValues()) {
        bytes += VALUE + value.getValueLength();
      }
    }
    return bytes;
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

  /** Whether it was broken off. */
  synchronized boolean isOver() {
    return over;
  }

  /** What there is to say when it is over. */
  synchronized String said() {
    return said;
  }

  @Override
  public void close() {
    late.complete(false);
  }
}
