package net.postern.submission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.config.SubmissionConfig;
import net.postern.db.Database;
import net.postern.tenant.Accounts;
import net.postern.tenant.SendLimit;
import net.postern.tenant.Submitter;
import org.jdbi.v3.core.JdbiException;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much an account and a customer may send: messages and recipients in the last hour and the
 * last day. Counts are kept by five minutes, so a window slides in steps of that. What is new is
 * exchanged with the other nodes each second ({@link #exchange}); a limit can be exceeded by what
 * is sent on other nodes within that second. While the database is away each node counts alone.
 * Safe for many threads.
 */
public final class SendLimits {
  private static final Logger LOG = LoggerFactory.getLogger(SendLimits.class);
  private static final Duration SLOT = Duration.ofMinutes(5);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private static final int CACHED = 100_000;

  private record Count(int messages, int recipients) {
    static final Count NONE = new Count(0, 0);

    Count plus(Count other) {
      return new Count(messages + other.messages, recipients + other.recipients);
    }
  }

  /** What one subject sent. Guarded by itself. */
  private static final class Tally {
    final UUID subject;
    // By the number of the slot: what the database has of all nodes, and what it has not of this.
    final TreeMap<Long, Count> written = new TreeMap<>();
    final TreeMap<Long, Count> own = new TreeMap<>();
    Instant used = Instant.EPOCH;

    Tally(UUID subject) {
      this.subject = subject;
    }

    Count sum(long from) {
      Count sum = Count.NONE;
      for (Count each : written.tailMap(from).values()) {
        sum = sum.plus(each);
      }
      for (Count each : own.tailMap(from).values()) {
        sum = sum.plus(each);
      }
      return sum;
    }

    // The first slot from which on there are fewer than the limit allows.
    long freeFrom(long from, int limit, boolean messages) {
      long at = from;
      while (!written.tailMap(at).isEmpty() || !own.tailMap(at).isEmpty()) {
        Count sum = sum(at);
        if ((messages ? sum.messages() : sum.recipients()) < limit) {
          return at;
        }
        at++;
      }
      return at;
    }

    void forget(long before) {
      written.headMap(before).clear();
      own.headMap(before).clear();
    }
  }

  /**
   * A limit that is reached.
   *
   * @param whose account or customer
   * @param what messages or recipients, and in which time
   * @param again when some may be sent again
   */
  public record Reached(String whose, String what, Instant again) {}

  private record Bounds(int messagesHour, int messagesDay, int recipientsHour, int recipientsDay) {}

  private final SubmissionConfig config;
  private final Accounts accounts;
  private final InstantSource clock;
  private final Optional<Database> database;
  private final Cache<UUID, Tally> tallies = Caffeine.newBuilder().maximumSize(CACHED).build();
  // Those with something that the database has not; kept even when the cache lets them go.
  private final Map<UUID, Tally> dirty = new ConcurrentHashMap<>();

  /**
   * @param database where a subject's counts are read when it first sends here; empty for a node
   *     that counts alone
   */
  public SendLimits(
      SubmissionConfig config,
      Accounts accounts,
      InstantSource clock,
      Optional<Database> database) {
    this.config = config;
    this.accounts = accounts;
    this.clock = clock;
    this.database = database;
  }

  /**
   * Whether one more message to so many recipients would be too much.
   *
   * @param recipients 0 at the beginning of a transaction
   * @return the limit that is in the way
   */
  public Optional<Reached> ask(Submitter sender, int recipients) {
    Instant now = clock.instant();
    Optional<Reached> account =
        sender.kind() == Submitter.Kind.USER
            ? ask("account", tally(sender.mailbox().value()), account(sender), recipients, now)
            : Optional.empty();
    return account.isPresent()
        ? account
        : ask("customer", tally(sender.customer().value()), customer(sender), recipients, now);
  }

  /**
   * Counts a message, unless it is too much. Of messages at the same moment on one node none is let
   * through by mistake.
   *
   * @return the limit that is in the way; nothing was counted then
   */
  public synchronized Optional<Reached> charge(Submitter sender, int recipients) {
    Optional<Reached> reached = ask(sender, recipients);
    if (reached.isEmpty()) {
      count(sender, new Count(1, recipients));
    }
    return reached;
  }

  /** Takes back what was counted for a message that was not taken in the end. */
  public void refund(Submitter sender, int recipients) {
    count(sender, new Count(-1, -recipients));
  }

  private void count(Submitter sender, Count count) {
    if (sender.kind() == Submitter.Kind.USER) {
      count(tally(sender.mailbox().value()), count);
    }
    count(tally(sender.customer().value()), count);
  }

  private void count(Tally tally, Count count) {
    Instant now = clock.instant();
    synchronized (tally) {
      tally.own.merge(slot(now), count, Count::plus);
      tally.used = now;
    }
    dirty.put(tally.subject, tally);
  }

  private static Optional<Reached> ask(
      String whose, Tally tally, Bounds bounds, int recipients, Instant now) {
    long hour = slot(now.minus(HOUR)) + 1;
    long day = slot(now.minus(DAY)) + 1;
    synchronized (tally) {
      tally.forget(day);
      Count inHour = tally.sum(hour);
      Count inDay = tally.sum(day);
      int more = Math.max(1, recipients);
      if (inHour.messages() + 1 > bounds.messagesHour()) {
        return reached(whose, "messages an hour", tally, hour, HOUR, bounds.messagesHour(), true);
      }
      if (inDay.messages() + 1 > bounds.messagesDay()) {
        return reached(whose, "messages a day", tally, day, DAY, bounds.messagesDay(), true);
      }
      if (inHour.recipients() + more > bounds.recipientsHour()) {
        int limit = bounds.recipientsHour() - more + 1;
        return reached(whose, "recipients an hour", tally, hour, HOUR, limit, false);
      }
      if (inDay.recipients() + more > bounds.recipientsDay()) {
        int limit = bounds.recipientsDay() - more + 1;
        return reached(whose, "recipients a day", tally, day, DAY, limit, false);
      }
    }
    return Optional.empty();
  }

  private static Optional<Reached> reached(
      String whose,
      String what,
      Tally tally,
      long from,
      Duration window,
      int limit,
      boolean messages) {
    long free = tally.freeFrom(from, limit, messages);
    Instant again = Instant.ofEpochSecond((free - 1) * SLOT.toSeconds()).plus(window);
    return Optional.of(new Reached(whose, what, again));
  }

  private Bounds account(Submitter sender) {
    SendLimit own = accounts.limits(sender.customer(), Optional.of(sender.mailbox()));
    return new Bounds(
        own.messagesHour().orElse(config.accountMessagesHour()),
        own.messagesDay().orElse(config.accountMessagesDay()),
        own.recipientsHour().orElse(config.accountRecipientsHour()),
        own.recipientsDay().orElse(config.accountRecipientsDay()));
  }

  private Bounds customer(Submitter sender) {
    SendLimit own = accounts.limits(sender.customer(), Optional.empty());
    return new Bounds(
        own.messagesHour().orElse(config.customerMessagesHour()),
        own.messagesDay().orElse(config.customerMessagesDay()),
        own.recipientsHour().orElse(config.customerRecipientsHour()),
        own.recipientsDay().orElse(config.customerRecipientsDay()));
  }

  private static long slot(Instant at) {
    return Math.floorDiv(at.getEpochSecond(), SLOT.toSeconds());
  }

  private Tally tally(UUID subject) {
    Tally pending = dirty.get(subject);
    Tally tally = pending != null ? pending : tallies.get(subject, this::load);
    tally.used = clock.instant();
    return tally;
  }

  private Tally load(UUID subject) {
    Tally tally = new Tally(subject);
    try {
      database.ifPresent(from -> read(from, List.of(tally)));
    } catch (JdbiException e) {
      LOG.warn("what was sent before cannot be read, so it does not count now: {}", e.getMessage());
    }
    return tally;
  }

  private record Row(UUID subject, long slot, Count count) {}

  private void read(Database from, List<Tally> of) {
    UUID[] subjects = of.stream().map(each -> each.subject).toArray(UUID[]::new);
    List<Row> rows =
        from.rows(
            "select subject, slot, messages, recipients from send_count"
                + " where subject = any (?) and slot > ?",
            row ->
                new Row(
                    row.getObject(1, UUID.class),
                    slot(row.getTimestamp(2).toInstant()),
                    new Count(row.getInt(3), row.getInt(4))),
            subjects,
            Timestamp.from(clock.instant().minus(DAY)));
    for (Tally tally : of) {
      synchronized (tally) {
        for (Row row : rows) {
          if (row.subject().equals(tally.subject)) {
            tally.written.put(row.slot(), row.count());
          }
        }
      }
    }
  }

  private record Delta(Tally tally, Map<Long, Count> slots) {}

  /**
   * Writes what this node counted since the last time, and reads what others counted for those that
   * sent here within the last hour. One thread at a time.
   */
  public void exchange(Database with) {
    List<Delta> deltas = new ArrayList<>();
    for (UUID subject : List.copyOf(dirty.keySet())) {
      Tally tally = dirty.get(subject);
      if (tally != null) {
        synchronized (tally) {
          deltas.add(new Delta(tally, new TreeMap<>(tally.own)));
        }
      }
    }
    deltas.sort(java.util.Comparator.comparing(each -> each.tally().subject));
    if (!deltas.isEmpty()) {
      with.jdbi()
          .useTransaction(
              handle -> {
                PreparedBatch batch =
                    handle.prepareBatch(
                        "insert into send_count values (?, ?, ?, ?) on conflict (subject, slot) do"
                            + " update set messages = send_count.messages + excluded.messages,"
                            + " recipients = send_count.recipients + excluded.recipients");
                for (Delta delta : deltas) {
                  delta
                      .slots()
                      .forEach(
                          (slot, count) ->
                              batch
                                  .bind(0, delta.tally().subject)
                                  .bind(
                                      1,
                                      Timestamp.from(
                                          Instant.ofEpochSecond(slot * SLOT.toSeconds())))
                                  .bind(2, count.messages())
                                  .bind(3, count.recipients())
                                  .add());
                }
                batch.execute();
              });
    }
    for (Delta delta : deltas) {
      Tally tally = delta.tally();
      synchronized (tally) {
        delta
            .slots()
            .forEach(
                (slot, count) -> {
                  tally.own.computeIfPresent(
                      slot,
                      (of, now) -> {
                        Count rest =
                            new Count(
                                now.messages() - count.messages(),
                                now.recipients() - count.recipients());
                        return rest.equals(Count.NONE) ? null : rest;
                      });
                  tally.written.merge(slot, count, Count::plus);
                });
        if (tally.own.isEmpty()) {
          tallies.put(tally.subject, tally);
          dirty.remove(tally.subject);
        }
      }
    }
    Instant recent = clock.instant().minus(HOUR);
    List<Tally> active =
        tallies.asMap().values().stream().filter(each -> each.used.isAfter(recent)).toList();
    if (!active.isEmpty()) {
      read(with, active);
    }
  }

  /** Removes what no window reaches any more from the database. */
  public void prune(Database from) {
    from.jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "delete from send_count where slot < ?",
                    Timestamp.from(clock.instant().minus(DAY).minus(HOUR))));
  }
}
