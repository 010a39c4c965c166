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
import net.postern.tenant.Lookup;
import net.postern.tenant.SendLimit;
import net.postern.tenant.Submitter;
import org.jdbi.v3.core.JdbiException;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much an account and a customer may send: messages and recipients in the last hour and the
 * last day. Counts are kept by five minutes, so a window slides in steps of that. What was sent
 * before is read when someone first sends here; what is new is exchanged with the other nodes each
 * second ({@link #exchange}), and a limit can be exceeded by what is sent on other nodes within
 * that second.
 *
 * <p>While the database is away each node counts alone those whom it knows; of others it cannot say
 * whether they may send ({@link Unknown}), and asks again after a pause. Nothing is locked while
 * the database is asked. Safe for many threads.
 */
public final class SendLimits {
  private static final Logger LOG = LoggerFactory.getLogger(SendLimits.class);
  private static final Duration SLOT = Duration.ofMinutes(5);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Duration DAY = Duration.ofDays(1);
  private static final int CACHED = 100_000;

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(2).toNanos();

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

  /** Why a message may not be sent now. */
  public sealed interface Hindrance {}

  /**
   * A limit that is reached.
   *
   * @param whose account or customer
   * @param what messages or recipients, and in which time
   * @param again when some may be sent again
   */
  public record Reached(String whose, String what, Instant again) implements Hindrance {}

  /** It cannot be said now how much was sent, or may be. */
  public record Unknown(String why) implements Hindrance {}

  private record Bounds(int messagesHour, int messagesDay, int recipientsHour, int recipientsDay) {}

  /** One that counts what a sender sends. */
  private record Side(String whose, Tally tally, Bounds bounds) {}

  /** What is known when something is to be sent. */
  private sealed interface Sides {
    /** Account first, then customer: the order in which they are locked. */
    record Ready(List<Side> sides) implements Sides {}

    record Missing(String why) implements Sides {}
  }

  private final SubmissionConfig config;
  private final Accounts accounts;
  private final InstantSource clock;
  private final Optional<Database> database;
  private final Cache<UUID, Tally> tallies = Caffeine.newBuilder().maximumSize(CACHED).build();
  // Those with something that the database has not; kept even when the cache lets them go.
  private final Map<UUID, Tally> dirty = new ConcurrentHashMap<>();
  private final Changes<Row> changes;
  private volatile long awayUntil = System.nanoTime();

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
    this.changes =
        new Changes<>(
            "subject, slot, messages, recipients",
            "send_count",
            "subject::text || slot",
            row ->
                new Row(
                    row.getObject(3, UUID.class),
                    slot(row.getTimestamp(4).toInstant()),
                    new Count(row.getInt(5), row.getInt(6))),
            Changes.PAGE);
  }

  /**
   * Whether one more message to so many recipients would be too much.
   *
   * @param recipients 0 at the beginning of a transaction
   * @return what is in the way
   */
  public Optional<Hindrance> ask(Submitter sender, int recipients) {
    return weigh(sender, recipients, false);
  }

  /**
   * Counts a message, unless it is too much. Of messages at the same moment on one node none is let
   * through by mistake.
   *
   * @return what is in the way; nothing was counted then
   */
  public Optional<Hindrance> charge(Submitter sender, int recipients) {
    return weigh(sender, recipients, true);
  }

  private Optional<Hindrance> weigh(Submitter sender, int recipients, boolean count) {
    return switch (sides(sender)) {
      case Sides.Missing(String why) -> Optional.of(new Unknown(why));
      case Sides.Ready(List<Side> sides) ->
          weigh(sides, 0, recipients, clock.instant(), count).map(each -> each);
    };
  }

  // Holds all sides from the first look to the count.
  private Optional<Reached> weigh(
      List<Side> sides, int at, int recipients, Instant now, boolean count) {
    if (at == sides.size()) {
      if (count) {
        sides.forEach(each -> count(each.tally(), new Count(1, recipients)));
      }
      return Optional.empty();
    }
    Side side = sides.get(at);
    synchronized (side.tally()) {
      Optional<Reached> reached = ask(side.whose(), side.tally(), side.bounds(), recipients, now);
      return reached.isPresent() ? reached : weigh(sides, at + 1, recipients, now, count);
    }
  }

  // All that has to be read is read here, before anything is locked.
  private Sides sides(Submitter sender) {
    List<Side> sides = new ArrayList<>(2);
    if (sender.kind() == Submitter.Kind.USER) {
      switch (accounts.limits(sender.customer(), Optional.of(sender.mailbox()))) {
        case Lookup.Unavailable<SendLimit>(String why) -> {
          return new Sides.Missing(why);
        }
        case Lookup.Known<SendLimit>(SendLimit own) -> {
          Optional<Tally> tally = tally(sender.mailbox().value());
          if (tally.isEmpty()) {
            return new Sides.Missing("the database is away");
          }
          sides.add(new Side("account", tally.get(), account(own)));
        }
      }
    }
    switch (accounts.limits(sender.customer(), Optional.empty())) {
      case Lookup.Unavailable<SendLimit>(String why) -> {
        return new Sides.Missing(why);
      }
      case Lookup.Known<SendLimit>(SendLimit own) -> {
        Optional<Tally> tally = tally(sender.customer().value());
        if (tally.isEmpty()) {
          return new Sides.Missing("the database is away");
        }
        sides.add(new Side("customer", tally.get(), customer(own)));
      }
    }
    return new Sides.Ready(sides);
  }

  /** Takes back what was counted for a message that was not taken in the end. */
  public void refund(Submitter sender, int recipients) {
    Count back = new Count(-1, -recipients);
    if (sender.kind() == Submitter.Kind.USER) {
      refund(sender.mailbox().value(), back);
    }
    refund(sender.customer().value(), back);
  }

  private void refund(UUID subject, Count back) {
    // Unless it was forgotten within the moment that the message took.
    known(subject).ifPresent(tally -> count(tally, back));
  }

  private void count(Tally tally, Count count) {
    synchronized (tally) {
      tally.own.merge(slot(clock.instant()), count, Count::plus);
      dirty.put(tally.subject, tally);
    }
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

  private Bounds account(SendLimit own) {
    return new Bounds(
        own.messagesHour().orElse(config.accountMessagesHour()),
        own.messagesDay().orElse(config.accountMessagesDay()),
        own.recipientsHour().orElse(config.accountRecipientsHour()),
        own.recipientsDay().orElse(config.accountRecipientsDay()));
  }

  private Bounds customer(SendLimit own) {
    return new Bounds(
        own.messagesHour().orElse(config.customerMessagesHour()),
        own.messagesDay().orElse(config.customerMessagesDay()),
        own.recipientsHour().orElse(config.customerRecipientsHour()),
        own.recipientsDay().orElse(config.customerRecipientsDay()));
  }

  private static long slot(Instant at) {
    return Math.floorDiv(at.getEpochSecond(), SLOT.toSeconds());
  }

  private Optional<Tally> known(UUID subject) {
    Tally pending = dirty.get(subject);
    return Optional.ofNullable(pending != null ? pending : tallies.getIfPresent(subject));
  }

  // Empty when what was sent before cannot be read now.
  private Optional<Tally> tally(UUID subject) {
    Optional<Tally> known = known(subject);
    if (known.isPresent()) {
      return known;
    }
    Tally fresh = new Tally(subject);
    if (database.isPresent()) {
      if (System.nanoTime() - awayUntil < 0) {
        return Optional.empty();
      }
      try {
        read(database.get(), fresh);
      } catch (JdbiException e) {
        awayUntil = System.nanoTime() + RETRY_NANOS;
        LOG.warn("what was sent before cannot be read: {}", e.getMessage());
        return Optional.empty();
      }
    }
    // Of two that read it at once one counts.
    Tally first = tallies.asMap().putIfAbsent(subject, fresh);
    return Optional.of(first == null ? fresh : first);
  }

  private record Row(UUID subject, long slot, Count count) {}

  private void read(Database from, Tally tally) {
    List<Row> rows =
        from.rows(
            "select slot, messages, recipients from send_count where subject = ? and slot > ?",
            row ->
                new Row(
                    tally.subject,
                    slot(row.getTimestamp(1).toInstant()),
                    new Count(row.getInt(2), row.getInt(3))),
            tally.subject,
            Timestamp.from(clock.instant().minus(DAY)));
    rows.forEach(row -> enter(tally, row));
  }

  private static void enter(Tally tally, Row row) {
    synchronized (tally) {
      tally.written.put(row.slot(), row.count());
    }
  }

  private record Delta(Tally tally, Map<Long, Count> slots) {}

  /**
   * Writes what this node counted since the last time, and reads what changed for those that are
   * known here. One thread at a time.
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
                        "insert into send_count (subject, slot, messages, recipients)"
                            + " values (?, ?, ?, ?) on conflict (subject, slot) do"
                            + " update set messages = send_count.messages + excluded.messages,"
                            + " recipients = send_count.recipients + excluded.recipients,"
                            + " changed_at = clock_timestamp()");
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
    changes.read(with, row -> known(row.subject()).ifPresent(tally -> enter(tally, row)));
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
