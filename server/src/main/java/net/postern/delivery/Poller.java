package net.postern.delivery;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import net.postern.ledger.DeliveryLedger;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.LedgerUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leases due work from the ledger, never more than can be started soon, and sleeps until more is
 * due. One virtual thread; {@link #wake} may come from any.
 */
final class Poller {
  /** Longest sleep: other nodes enter work too, and leases of dead nodes run out. */
  private static final Duration LONGEST_SLEEP = Duration.ofSeconds(5);

  private static final Duration SHORTEST_SLEEP = Duration.ofMillis(20);

  /** Most deliveries of one lease. */
  private static final int MAX_BATCH = 500;

  private static final Logger LOG = LoggerFactory.getLogger(Poller.class);

  private final DeliveryLedger ledger;
  private final InstantSource clock;
  private final Duration lease;
  private final int ceiling;
  private final Consumer<List<LeasedDelivery>> taker;
  private final Runnable shedder;

  private final AtomicInteger underWay = new AtomicInteger();
  private final Semaphore wakeUps = new Semaphore(0);
  private final Outstanding running = new Outstanding();
  private final AtomicReference<Instant> hint = new AtomicReference<>(Instant.MAX);
  private volatile Instant sleepingUntil = Instant.MIN;
  private volatile boolean stopped;
  private boolean ledgerAway;

  /**
   * @param ceiling most leased deliveries that are not settled yet
   * @param taker gets what was leased; calls {@link #done} for each
   * @param shedder asked to give back what waits for servers that do not work
   */
  Poller(
      DeliveryLedger ledger,
      InstantSource clock,
      Duration lease,
      int ceiling,
      Consumer<List<LeasedDelivery>> taker,
      Runnable shedder) {
    this.ledger = ledger;
    this.clock = clock;
    this.lease = lease;
    this.ceiling = ceiling;
    this.taker = taker;
    this.shedder = shedder;
  }

  void start() {
    running.add(1);
    Thread _ = Thread.ofVirtual().name("delivery-poller").start(this::run);
  }

  /** Ends the poller and waits until it has; false when it took too long. */
  boolean stop(Duration limit) throws InterruptedException {
    stopped = true;
    wake();
    return running.awaitNone(limit);
  }

  /** Something is due then, maybe earlier than was known. */
  void due(Instant when) {
    Instant _ = hint.accumulateAndGet(when, Poller::earlier);
    if (when.isBefore(sleepingUntil)) {
      wake();
    }
  }

  private static Instant earlier(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }

  /** Something may be due now. */
  void wake() {
    if (wakeUps.availablePermits() == 0) {
      wakeUps.release();
    }
  }

  void done(int deliveries) {
    int left = underWay.addAndGet(-deliveries);
    // Room for a further lease, after the poller had to stop for want of it.
    if (left <= ceiling / 2 && left + deliveries > ceiling / 2) {
      wake();
    }
  }

  private void run() {
    try {
      leaseUntilStopped();
    } finally {
      running.done(1);
    }
  }

  private void leaseUntilStopped() {
    while (!stopped) {
      Duration sleep;
      try {
        sleep = poll();
        ledgerAway = false;
      } catch (LedgerUnavailableException e) {
        if (!ledgerAway) {
          LOG.warn("no work can be leased: {}", e.getMessage());
        }
        ledgerAway = true;
        sleep = Duration.ofSeconds(1);
      } catch (RuntimeException e) {
        LOG.error("leasing work failed", e);
        sleep = Duration.ofSeconds(1);
      }
      try {
        if (wakeUps.tryAcquire(sleep.toMillis(), TimeUnit.MILLISECONDS)) {
          wakeUps.drainPermits();
        }
        sleepingUntil = Instant.MIN;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Leases once; returns how long to sleep. */
  private Duration poll() throws LedgerUnavailableException {
    int room = ceiling - underWay.get();
    if (room < Math.max(1, ceiling / 4)) {
      shedder.run();
      return Duration.ofSeconds(1);
    }
    List<LeasedDelivery> leased = ledger.lease(Math.min(room, MAX_BATCH), lease);
    if (!leased.isEmpty()) {
      underWay.addAndGet(leased.size());
      taker.accept(leased);
      return Duration.ZERO;
    }
    Instant due = ledger.nextDue();
    Instant now = clock.instant();
    Duration sleep = LONGEST_SLEEP;
    if (due.isBefore(now.plus(LONGEST_SLEEP))) {
      sleep = Duration.between(now, due);
    }
    Instant end = now.plus(sleep);
    sleepingUntil = end;
    // Read after sleepingUntil is set: what comes later than this line wakes the sleep.
    Instant hinted = hint.getAndUpdate(h -> h.isAfter(end) ? h : Instant.MAX);
    if (hinted.isBefore(end)) {
      sleep = Duration.between(now, hinted);
    }
    return sleep.compareTo(SHORTEST_SLEEP) < 0 ? SHORTEST_SLEEP : sleep;
  }
}
