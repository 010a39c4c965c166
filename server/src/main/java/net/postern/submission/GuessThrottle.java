package net.postern.submission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.db.Database;
import net.postern.id.MailboxId;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slows down who guesses passwords.
 *
 * <p>Three counters: wrong passwords <em>from a source</em> for whatever account; wrong passwords
 * <em>for an account</em> from wherever; and, for a source from which the account's right password
 * came within the last {@value #REMEMBERED_DAYS} days, wrong passwords <em>for this account from
 * there</em>. An attempt from such a source is held against the third counter only, so a user who
 * is at home gets in while a thousand strangers guess; all others are held against the first two. A
 * counter allows {@value #FREE} wrong passwords, then one more after a minute, two, four and so on
 * up to an hour. It is forgotten a day after the last one. An attempt counts as wrong from its
 * beginning until it turns out right, so that attempts at the same moment gain nothing.
 *
 * <p>All is decided in memory. {@link #exchange} writes what is new and reads what other nodes
 * wrote; called each second, a guesser gains at most what it tries on each node within that second.
 * While the database is away each node counts alone. Safe for many threads.
 */
public final class GuessThrottle {
  /** Wrong passwords before the first wait. */
  static final int FREE = 10;

  static final int REMEMBERED_DAYS = 60;

  /** Attempts under way at one time where none was wrong. */
  static final int AT_ONCE = 40;

  private static final Logger LOG = LoggerFactory.getLogger(GuessThrottle.class);
  private static final Duration FIRST_LOCK = Duration.ofMinutes(1);
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration LONGEST_LOCK = Duration.ofHours(1);
  private static final Duration FORGOTTEN = Duration.ofDays(1);
  private static final Duration REMEMBERED = Duration.ofDays(REMEMBERED_DAYS);

  /** A known source is written again after so long. */
  private static final Duration RENEWED = Duration.ofHours(12);

  /** Counters and sources that a node keeps; beyond that the least used are forgotten. */
  private static final int CACHED = 200_000;

  /** What is kept for the database while that is away. */
  private static final int UNWRITTEN = 100_000;

  /** Rows that one exchange reads of each table. */
  private static final int READ = 50_000;

  /** Rows written late by a transaction that began early are read with this overlap. */
  private static final Duration OVERLAP = Duration.ofSeconds(5);

  private record Counter(int failures, int trying, Instant last) {
    static final Counter NEW = new Counter(0, 0, Instant.EPOCH);
  }

  private record Delta(int failures, Instant last) {}

  private record Place(UUID mailbox, String source) {}

  private final InstantSource clock;
  private final Cache<String, Counter> counters = Caffeine.newBuilder().maximumSize(CACHED).build();
  private final Cache<Place, Instant> places = Caffeine.newBuilder().maximumSize(CACHED).build();
  private final Map<String, Delta> unwritten = new ConcurrentHashMap<>();
  private final Map<Place, Instant> unwrittenPlaces = new ConcurrentHashMap<>();
  private Instant countersRead = Instant.EPOCH;
  private Instant placesRead = Instant.EPOCH;

  public GuessThrottle(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether a password may be looked at. */
  public sealed interface Answer {

    /** It may; say how it ended by one of the methods of {@link Attempt}. */
    record Allowed(Attempt attempt) implements Answer {}

    /**
     * It may not.
     *
     * @param scope account, source, or both
     * @param left about how long
     */
    record Locked(String scope, Duration left) implements Answer {}
  }

  /** One password that is being looked at. */
  public final class Attempt {
    private final List<String> keys;
    private final Optional<MailboxId> mailbox;
    private final InetAddress source;
    private boolean ended;

    private Attempt(List<String> keys, Optional<MailboxId> mailbox, InetAddress source) {
      this.keys = keys;
      this.mailbox = mailbox;
      this.source = source;
    }

    /** The password was wrong. */
    public void failed() {
      end(1);
    }

    /** It could not be told, or is the same wrong one again that was counted already. */
    public void abandoned() {
      end(0);
    }

    /** It was right: from here the account is known. */
    public void succeeded() {
      end(0);
      mailbox.ifPresent(of -> remember(new Place(of.value(), Source.wide(source))));
    }

    private synchronized void end(int failures) {
      if (ended) {
        return;
      }
      ended = true;
      Instant now = clock.instant();
      for (String key : keys) {
        counters
            .asMap()
            .computeIfPresent(
                key,
                (of, counter) ->
                    new Counter(
                        counter.failures() + failures,
                        Math.max(0, counter.trying() - 1),
                        failures > 0 ? now : counter.last()));
        // Of names that nobody has there is no end: other nodes need not know them.
        if (failures > 0
            && !key.startsWith("name:")
            && (unwritten.size() < UNWRITTEN || unwritten.containsKey(key))) {
          unwritten.merge(
              key, new Delta(1, now), (a, b) -> new Delta(a.failures() + b.failures(), now));
        }
      }
    }
  }

  /**
   * Asks for a user that exists.
   *
   * @param mailbox the user's
   */
  public Answer ask(MailboxId mailbox, InetAddress source) {
    Place place = new Place(mailbox.value(), Source.wide(source));
    if (isKnown(place)) {
      return ask(List.of("both:" + mailbox + ":" + place.source()), Optional.of(mailbox), source);
    }
    return ask(
        List.of("source:" + Source.narrow(source), "account:" + mailbox),
        Optional.of(mailbox),
        source);
  }

  /** Asks for a name that nobody has; the answers are those for a user that is new from there. */
  public Answer ask(String name, InetAddress source) {
    return ask(
        List.of("source:" + Source.narrow(source), "name:" + name), Optional.empty(), source);
  }

  private Answer ask(List<String> keys, Optional<MailboxId> mailbox, InetAddress source) {
    Instant now = clock.instant();
    List<String> begun = new ArrayList<>(keys.size());
    for (String key : keys) {
      Duration[] left = {Duration.ZERO};
      counters
          .asMap()
          .compute(
              key,
              (of, known) -> {
                Counter counter = known == null ? Counter.NEW : fresh(known, now);
                left[0] = left(counter, now);
                return left[0].isZero()
                    ? new Counter(counter.failures(), counter.trying() + 1, counter.last())
                    : counter;
              });
      if (!left[0].isZero()) {
        new Attempt(begun, mailbox, source).abandoned();
        return new Answer.Locked(
            key.substring(0, key.indexOf(':')).replace("name", "account"), left[0]);
      }
      begun.add(key);
    }
    return new Answer.Allowed(new Attempt(keys, mailbox, source));
  }

  private static Counter fresh(Counter counter, Instant now) {
    return counter.failures() > 0 && now.isAfter(counter.last().plus(FORGOTTEN))
        ? new Counter(0, counter.trying(), counter.last())
        : counter;
  }

  private static Duration left(Counter counter, Instant now) {
    if (counter.failures() < FREE) {
      // An office that begins its day logs in at one moment; nobody there was wrong yet.
      int room = counter.failures() == 0 ? AT_ONCE : FREE - counter.failures();
      return counter.trying() < room ? Duration.ZERO : SOON;
    }
    // After the wait one attempt, not as many as come at that moment.
    if (counter.trying() > 0) {
      return FIRST_LOCK;
    }
    Duration lock = FIRST_LOCK.multipliedBy(1L << Math.min(counter.failures() - FREE, 10));
    Instant end = counter.last().plus(lock.compareTo(LONGEST_LOCK) > 0 ? LONGEST_LOCK : lock);
    return now.isBefore(end) ? Duration.between(now, end) : Duration.ZERO;
  }

  private boolean isKnown(Place place) {
    Instant seen = places.getIfPresent(place);
    return seen != null && clock.instant().isBefore(seen.plus(REMEMBERED));
  }

  private void remember(Place place) {
    Instant now = clock.instant();
    Instant before = places.asMap().put(place, now);
    if ((before == null || now.isAfter(before.plus(RENEWED)))
        && unwrittenPlaces.size() < UNWRITTEN) {
      unwrittenPlaces.put(place, now);
    }
  }

  /**
   * Writes what this node counted since the last time, and reads what others wrote. One thread at a
   * time.
   */
  public synchronized void exchange(Database database) {
    Map<String, Delta> deltas = new HashMap<>();
    for (String key : List.copyOf(unwritten.keySet())) {
      Delta delta = unwritten.remove(key);
      if (delta != null) {
        deltas.put(key, delta);
      }
    }
    Map<Place, Instant> seen = new HashMap<>(unwrittenPlaces);
    try {
      database.jdbi().useTransaction(handle -> write(handle, deltas, seen));
    } catch (RuntimeException e) {
      deltas.forEach(
          (key, delta) ->
              unwritten.merge(
                  key, delta, (a, b) -> new Delta(a.failures() + b.failures(), later(a, b))));
      throw e;
    }
    seen.forEach(unwrittenPlaces::remove);
    read(database);
  }

  private static Instant later(Delta a, Delta b) {
    return a.last().isAfter(b.last()) ? a.last() : b.last();
  }

  private static void write(Handle handle, Map<String, Delta> deltas, Map<Place, Instant> seen) {
    if (!deltas.isEmpty()) {
      PreparedBatch batch =
          handle.prepareBatch(
              "insert into login_failure as f (key, failures, last_at) values (?, ?, ?)"
                  + " on conflict (key) do update set failures = excluded.failures + case when"
                  + " f.last_at < excluded.last_at - interval '1 day' then 0 else f.failures end,"
                  + " last_at = greatest(f.last_at, excluded.last_at),"
                  + " changed_at = clock_timestamp()");
      // In one order on every node, so that none waits for another in a circle.
      deltas.entrySet().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(
              each ->
                  batch
                      .bind(0, each.getKey())
                      .bind(1, each.getValue().failures())
                      .bind(2, Timestamp.from(each.getValue().last()))
                      .add());
      batch.execute();
    }
    if (!seen.isEmpty()) {
      PreparedBatch batch =
          handle.prepareBatch(
              "insert into login_source (mailbox_id, source, last_at) values (?, ?, ?)"
                  + " on conflict (mailbox_id, source) do update set last_at ="
                  + " greatest(login_source.last_at, excluded.last_at),"
                  + " changed_at = clock_timestamp()");
      seen.entrySet().stream()
          .sorted(java.util.Comparator.comparing(each -> each.getKey().toString()))
          .forEach(
              each ->
                  batch
                      .bind(0, each.getKey().mailbox())
                      .bind(1, each.getKey().source())
                      .bind(2, Timestamp.from(each.getValue()))
                      .add());
      batch.execute();
    }
  }

  private record Row(String key, UUID mailbox, int failures, Instant last, Instant changed) {}

  private void read(Database database) {
    for (Row row :
        database.rows(
            "select key, failures, last_at, changed_at from login_failure where changed_at > ?"
                + " order by changed_at limit "
                + READ,
            each ->
                new Row(
                    each.getString(1),
                    new UUID(0, 0),
                    each.getInt(2),
                    each.getTimestamp(3).toInstant(),
                    each.getTimestamp(4).toInstant()),
            Timestamp.from(
                countersRead.equals(Instant.EPOCH) ? countersRead : countersRead.minus(OVERLAP)))) {
      // What was counted here since stays on top of what all have counted.
      Delta own = unwritten.getOrDefault(row.key(), new Delta(0, Instant.EPOCH));
      counters
          .asMap()
          .compute(
              row.key(),
              (key, known) ->
                  new Counter(
                      row.failures() + own.failures(),
                      known == null ? 0 : known.trying(),
                      row.last().isAfter(own.last()) ? row.last() : own.last()));
      countersRead = row.changed();
    }
    for (Row row :
        database.rows(
            "select mailbox_id, source, last_at, changed_at from login_source where changed_at > ?"
                + " order by changed_at limit "
                + READ,
            each ->
                new Row(
                    each.getString(2),
                    each.getObject(1, UUID.class),
                    0,
                    each.getTimestamp(3).toInstant(),
                    each.getTimestamp(4).toInstant()),
            Timestamp.from(
                placesRead.equals(Instant.EPOCH) ? placesRead : placesRead.minus(OVERLAP)))) {
      places
          .asMap()
          .merge(new Place(row.mailbox(), row.key()), row.last(), (a, b) -> a.isAfter(b) ? a : b);
      placesRead = row.changed();
    }
  }

  /** Removes what has been forgotten from the database. */
  public void prune(Database database) {
    Instant now = clock.instant();
    int failures =
        database
            .jdbi()
            .withHandle(
                handle ->
                    handle.execute(
                            "delete from login_failure where last_at < ?",
                            Timestamp.from(now.minus(FORGOTTEN)))
                        + handle.execute(
                            "delete from login_source where last_at < ?",
                            Timestamp.from(now.minus(REMEMBERED))));
    LOG.debug("{} rows about logins were forgotten", failures);
  }
}
