package net.postern.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import net.postern.db.Database;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes refusals and failed logins to the trace, so that "why was my mail refused" has an answer.
 * A flood must not slow mail down, nor fill the database: beyond a number of rows a minute, and
 * when they come faster than they can be written, the rest are counted (the mail log still has
 * them). Their number is a row too, so that it can be said of a reference why nothing is known of
 * it.
 */
public final class RefusalTrace implements Events, AutoCloseable {
  /** Event of the rows that tell how many were not kept of the minute that begins then. */
  static final String FLOOD = "refused-flood";

  static final Duration WINDOW = Duration.ofMinutes(1);

  private static final Logger LOG = LoggerFactory.getLogger(RefusalTrace.class);
  private static final int QUEUE = 10_000;
  private static final int GROUP = 500;

  /** After a failure the database is left alone for this long: each attempt waits seconds. */
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /** Minutes of which the number is remembered while it cannot be written. */
  private static final int MINUTES = 1_000;

  /** Rows that {@link #prune} deletes in one statement. */
  private static final int BATCH = 10_000;

  /** Characters of a name that someone logs in with; no address has more. */
  private static final int MAX_NAME = 400;

  private static final String INSERT =
      "insert into trace (happened_at, customer_id, event, recipient, detail, reference)"
          + " values (?, ?, 'refused', ?, ?, ?)";

  private record Line(Instant at, MailEvent event) {}

  private final Database database;
  private final int perMinute;
  private final InstantSource clock;
  private final BlockingQueue<Line> queue = new ArrayBlockingQueue<>(QUEUE);
  private final AtomicLong dropped = new AtomicLong();
  // By the beginning of the minute.
  private final Map<Instant, Long> unkept = new ConcurrentHashMap<>();
  private final Lock budget = new ReentrantLock();
  private Instant minute = Instant.EPOCH;
  private int inMinute;
  private final Thread thread;
  private final CountDownLatch closing = new CountDownLatch(1);
  private volatile boolean closed;
  private volatile boolean givenUp;

  /**
   * @param perMinute rows of one minute
   */
  public RefusalTrace(Database database, int perMinute, InstantSource clock) {
    this.database = database;
    this.perMinute = perMinute;
    this.clock = clock;
    this.thread = Thread.ofPlatform().name("refusal-trace").daemon().start(this::run);
  }

  @Override
  public void emit(MailEvent event) {
    if (event instanceof MailEvent.Refused
        || event instanceof MailEvent.AuthFailed
        || event instanceof MailEvent.LoginLocked) {
      Instant now = clock.instant();
      if (!isWithinBudget(now) || !queue.offer(new Line(now, event))) {
        drop(now, 1);
      }
    }
  }

  private boolean isWithinBudget(Instant now) {
    Instant of = minuteOf(now);
    budget.lock();
    try {
      if (!of.equals(minute)) {
        minute = of;
        inMinute = 0;
      }
      return inMinute++ < perMinute;
    } finally {
      budget.unlock();
    }
  }

  private static Instant minuteOf(Instant at) {
    return at.truncatedTo(ChronoUnit.MINUTES);
  }

  private void drop(Instant at, long number) {
    dropped.addAndGet(number);
    Instant of = minuteOf(at);
    if (unkept.size() < MINUTES || unkept.containsKey(of)) {
      unkept.merge(of, number, Long::sum);
    }
  }

  /** How many were not written because there were too many. */
  public long dropped() {
    return dropped.get();
  }

  private void run() {
    List<Line> group = new ArrayList<>();
    boolean away = false;
    while (!closed || !queue.isEmpty()) {
      try {
        // What comes meanwhile waits in the queue, and is counted when that is full.
        if (away && closing.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
          break;
        }
        Line first = queue.poll(200, TimeUnit.MILLISECONDS);
        if (first != null) {
          group.add(first);
          queue.drainTo(group, GROUP - 1);
          write(group);
          group.clear();
        }
        writeUnkept();
        away = false;
      } catch (SQLException e) {
        away = true;
        if (!group.isEmpty()) {
          LOG.warn("{} refusals could not be written to the trace: {}", group.size(), e.toString());
        }
        group.forEach(line -> drop(line.at(), 1));
      } catch (InterruptedException e) {
        LOG.warn("refusal-trace was interrupted; it goes on");
      } finally {
        group.clear();
      }
    }
    finish();
  }

  // One attempt: where the database is away, each more would wait for it again.
  private void finish() {
    List<Line> rest = new ArrayList<>();
    queue.drainTo(rest);
    try {
      if (givenUp) {
        throw new SQLException("it took too long");
      }
      if (!rest.isEmpty()) {
        write(rest);
        rest.clear();
      }
      writeUnkept();
    } catch (SQLException e) {
      rest.forEach(line -> drop(line.at(), 1));
      long lost = unkept.values().stream().mapToLong(Long::longValue).sum();
      if (lost > 0) {
        LOG.warn("the trace does not tell of {} refusals: {}", lost, e.toString());
      }
    }
  }

  private void write(List<Line> group) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement row = connection.prepareStatement(INSERT)) {
      for (Line line : group) {
        row.setTimestamp(1, Timestamp.from(line.at()));
        switch (line.event()) {
          case MailEvent.Refused refused ->
              fill(
                  row,
                  refused.customer(),
                  refused.recipient(),
                  "%d %s %s (from <%s>, client %s, helo %s)"
                      .formatted(
                          refused.code(),
                          refused.enhanced(),
                          refused.text(),
                          refused.reversePath(),
                          refused.peer().address(),
                          refused.peer().helo()),
                  refused.reference());
          case MailEvent.AuthFailed failed ->
              fill(
                  row,
                  Optional.empty(),
                  "",
                  "login failed: %s %s"
                      .formatted(failed.why(), who(failed.account(), failed.peer())),
                  failed.reference());
          case MailEvent.LoginLocked locked ->
              fill(
                  row,
                  Optional.empty(),
                  "",
                  "login not tried: %s locked for %d s %s"
                      .formatted(
                          locked.scope(),
                          locked.left().toSeconds(),
                          who(locked.account(), locked.peer())),
                  locked.reference());
          default -> throw new IllegalStateException("not for the trace: " + line.event());
        }
        row.addBatch();
      }
      row.executeBatch();
    }
  }

  private static String who(String account, MailEvent.Peer peer) {
    return "(as %s, client %s, helo %s)"
        .formatted(
            account.length() > MAX_NAME ? account.substring(0, MAX_NAME) : account,
            peer.address(),
            peer.helo());
  }

  private static void fill(
      PreparedStatement row,
      Optional<CustomerId> customer,
      String recipient,
      String detail,
      Reference reference)
      throws SQLException {
    row.setObject(2, customer.map(CustomerId::value).orElse(null), java.sql.Types.OTHER);
    row.setString(3, clean(recipient));
    row.setString(4, clean(detail));
    row.setString(5, reference.toString());
  }

  // Of minutes that are over, or all when this is the end.
  private void writeUnkept() throws SQLException {
    Instant now = minuteOf(clock.instant());
    for (Instant of : List.copyOf(unkept.keySet())) {
      if (closed || of.isBefore(now)) {
        Long number = unkept.get(of);
        if (number != null) {
          try (Connection connection = database.connection();
              PreparedStatement row =
                  connection.prepareStatement(
                      "insert into trace (happened_at, event, detail) values (?, ?, ?)")) {
            row.setTimestamp(1, Timestamp.from(of));
            row.setString(2, FLOOD);
            row.setString(3, String.valueOf(number));
            row.executeUpdate();
          }
          // What came meanwhile stays.
          unkept.computeIfPresent(of, (at, all) -> all > number ? all - number : null);
        }
      }
    }
  }

  /**
   * Deletes what happened before, some at a time, so that no statement holds others up for long.
   *
   * @return how many
   */
  public int prune(Instant before) {
    return prune(before, BATCH);
  }

  int prune(Instant before, int batch) {
    int all = 0;
    int deleted;
    do {
      deleted =
          database
              .jdbi()
              .withHandle(
                  handle ->
                      handle.execute(
                          "delete from trace where id = any (array(select id from trace where event"
                              + " in ('refused', '"
                              + FLOOD
                              + "') and happened_at < ? order by happened_at limit ?))",
                          Timestamp.from(before),
                          batch));
      all += deleted;
    } while (deleted == batch && !closed);
    return all;
  }

  private static String clean(String text) {
    return text.replace('\0', '\ufffd');
  }

  /** Writes what is queued, for at most five seconds; what takes longer is given up. */
  @Override
  public void close() {
    closed = true;
    closing.countDown();
    try {
      thread.join(5_000);
      // It may be waiting for a connection.
      givenUp = true;
      thread.interrupt();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
