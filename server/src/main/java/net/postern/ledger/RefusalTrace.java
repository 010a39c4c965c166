package net.postern.ledger;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.db.Database;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes refusals to the trace, so that "why was my mail refused" has an answer. A flood of
 * refusals must not slow mail down: when the queue is full the rest are counted, not written (the
 * mail log still has them).
 */
public final class RefusalTrace implements Events, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RefusalTrace.class);
  private static final int QUEUE = 10_000;
  private static final int GROUP = 500;
  private static final String INSERT =
      "insert into trace (happened_at, customer_id, event, recipient, detail, reference)"
          + " values (?, ?, 'refused', ?, ?, ?)";

  private record Line(Instant at, MailEvent.Refused refused) {}

  private final Database database;
  private final BlockingQueue<Line> queue = new ArrayBlockingQueue<>(QUEUE);
  private final AtomicLong dropped = new AtomicLong();
  private final Thread thread;
  private volatile boolean closed;

  public RefusalTrace(Database database) {
    this.database = database;
    this.thread = Thread.ofPlatform().name("refusal-trace").daemon().start(this::run);
  }

  @Override
  public void emit(MailEvent event) {
    if (event instanceof MailEvent.Refused refused
        && !queue.offer(new Line(Instant.now(), refused))) {
      dropped.incrementAndGet();
    }
  }

  /** How many were not written because there were too many. */
  public long dropped() {
    return dropped.get();
  }

  private void run() {
    List<Line> group = new ArrayList<>();
    while (!closed || !queue.isEmpty()) {
      try {
        Line first = queue.poll(200, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        group.add(first);
        queue.drainTo(group, GROUP - 1);
        write(group);
      } catch (SQLException e) {
        LOG.warn("{} refusals could not be written to the trace: {}", group.size(), e.toString());
        dropped.addAndGet(group.size());
      } catch (InterruptedException e) {
        LOG.warn("refusal-trace was interrupted; it goes on");
      } finally {
        group.clear();
      }
    }
  }

  private void write(List<Line> group) throws SQLException {
    try (Connection connection = database.connection();
        PreparedStatement row = connection.prepareStatement(INSERT)) {
      for (Line line : group) {
        MailEvent.Refused refused = line.refused();
        row.setTimestamp(1, Timestamp.from(line.at()));
        row.setObject(
            2, refused.customer().map(id -> id.value()).orElse(null), java.sql.Types.OTHER);
        row.setString(3, clean(refused.recipient()));
        row.setString(
            4,
            clean(
                "%d %s %s (from <%s>, client %s, helo %s)"
                    .formatted(
                        refused.code(),
                        refused.enhanced(),
                        refused.text(),
                        refused.reversePath(),
                        refused.peer().address(),
                        refused.peer().helo())));
        row.setString(5, refused.reference().toString());
        row.addBatch();
      }
      row.executeBatch();
    }
  }

  /**
   * Deletes what happened before.
   *
   * @return how many
   */
  public int prune(Instant before) {
    return database
        .jdbi()
        .withHandle(
            handle ->
                handle.execute(
                    "delete from trace where event = 'refused' and happened_at < ?",
                    Timestamp.from(before)));
  }

  private static String clean(String text) {
    return text.replace('\0', '\ufffd');
  }

  /** Writes what is queued, for at most five seconds. */
  @Override
  public void close() {
    closed = true;
    try {
      thread.join(5_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
