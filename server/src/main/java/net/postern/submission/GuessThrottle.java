package net.postern.submission;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
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
import java.util.function.Function;
import net.postern.db.Database;
import net.postern.id.MailboxId;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
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
 * up to an hour. It is forgotten a day after the last one; and the third counter begins anew when
 * the right password comes from there, at most each {@value #FORGIVING_MINUTES} minutes: one
 * program with an old password does not lock out the others (NIST SP 800-63B §5.2.2). An attempt
 * counts as wrong from its beginning until it turns out right, so that attempts at the same moment
 * gain nothing.
 *
 * <p>What is not in memory is read when it is asked for. {@link #exchange} writes what is new and
 * reads what other nodes wrote; called each second, a guesser gains at most what it tries on each
 * node within that second. While the database is away each node counts alone, and asks it again
 * after a pause. Nothing is locked while the database is asked. Safe for many threads.
 */
public final class GuessThrottle {
  /** Wrong passwords before the first wait. */
  static final int FREE = 10;

  static final int REMEMBERED_DAYS = 60;

  static final int FORGIVING_MINUTES = 15;

  /** Attempts under way at one time where none was wrong. */
  static final int AT_ONCE = 40;

  /** How the keys of counters for one account from one place begin. */
  private static final String BOTH = "both:";

  private static final Logger LOG = LoggerFactory.getLogger(GuessThrottle.class);
  private static final Duration FIRST_LOCK = Duration.ofMinutes(1);
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration LONGEST_LOCK = Duration.ofHours(1);
  private static final Duration FORGOTTEN = Duration.ofDays(1);
  private static final Duration FORGIVING = Duration.ofMinutes(FORGIVING_MINUTES);
  private static final Duration REMEMBERED = Duration.ofDays(REMEMBERED_DAYS);

  /** A known source is written again after so long. */
  private static final Duration RENEWED = Duration.ofHours(12);

  /** Counters and sources that a node keeps; beyond that the least used are forgotten. */
  private static final int CACHED = 200_000;

  /** What is kept for the database while that is away. */
  private static final int UNWRITTEN = 100_000;

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(2).toNanos();

  /**
   * @param read whether what the database has is in it
   * @param forgiven when this node let it begin anew the last time
   */
  private record Counter(int failures, int trying, Instant last, boolean read, Instant forgiven) {
    static final Counter NEW = new Counter(0, 0, Instant.EPOCH, false, Instant.EPOCH);
  }

  /**
   * @param failures less than none where they were forgiven
   */
  private record Delta(int failures, Instant last) {
    static final Delta NONE = new Delta(0, Instant.EPOCH);

    Delta plus(Delta other) {
      return new Delta(failures + other.failures, later(last, other.last));
    }
  }

  private record Place(UUID mailbox, String source) {}

  /** What the database has of a counter. */
  private record Row(String key, int failures, Instant last) {}

  /** What the database has of a place. */
  private record Seen(Place place, Instant last) {}

  private final InstantSource clock;
  private final Cache<String, Counter> counters = Caffeine.newBuilder().maximumSize(CACHED).build();
  private final Cache<Place, Instant> places = Caffeine.newBuilder().maximumSize(CACHED).build();
  private final Map<String, Delta> unwritten = new ConcurrentHashMap<>();
  private final Map<Place, Instant> unwrittenPlaces = new ConcurrentHashMap<>();
  private final Optional<Database> database;
  private final Changes<Row> newFailures;
  private final Changes<Seen> newPlaces;
  private volatile long awayUntil = System.nanoTime();

  /** One that knows no more than it is told by {@link #exchange}. */
  public GuessThrottle(InstantSource clock) {
    this(clock, Optional.empty(), Changes.PAGE);
  }

  /** One that reads from the database what it does not know. */
  public GuessThrottle(InstantSource clock, Database database) {
    this(clock, Optional.of(database), Changes.PAGE);
  }

  GuessThrottle(InstantSource clock, Optional<Database> database, int page) {
    this.clock = clock;
    this.database = database;
    this.newFailures =
        new Changes<>(
            "key, failures, last_at",
            "login_failure",
            "key",
            row -> new Row(row.getString(3), row.getInt(4), row.getTimestamp(5).toInstant()),
            page);
    this.newPlaces =
        new Changes<>(
            "mailbox_id, source, last_at",
            "login_source",
            "mailbox_id || source",
            row ->
                new Seen(
                    new Place(row.getObject(3, UUID.class), row.getString(4)),
                    row.getTimestamp(5).toInstant()),
            page);
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
      end(1, false);
    }

    /** It could not be told, or is the same wrong one again that was counted already. */
    public void abandoned() {
      end(0, false);
    }

    /** It was right: from here the account is known. */
    public void succeeded() {
      end(0, true);
      mailbox.ifPresent(of -> remember(new Place(of.value(), Source.wide(source))));
    }

    private synchronized void end(int failures, boolean right) {
      if (ended) {
        return;
      }
      ended = true;
      Instant now = clock.instant();
      for (String key : keys) {
        Delta[] delta = {new Delta(failures, now)};
        counters
            .asMap()
            .computeIfPresent(
                key,
                (of, counter) -> {
                  boolean forgives =
                      right
                          && key.startsWith(BOTH)
                          && counter.failures() > 0
                          && !now.isBefore(counter.forgiven().plus(FORGIVING));
                  if (forgives) {
                    delta[0] = new Delta(-counter.failures(), counter.last());
                  }
                  return new Counter(
                      counter.failures() + delta[0].failures(),
                      Math.max(0, counter.trying() - 1),
                      failures > 0 ? now : counter.last(),
                      counter.read(),
                      forgives ? now : counter.forgiven());
                });
        if (delta[0].failures() != 0
            && (unwritten.size() < UNWRITTEN || unwritten.containsKey(key))) {
          unwritten.merge(key, delta[0], Delta::plus);
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
      return ask(List.of(BOTH + mailbox + ":" + place.source()), Optional.of(mailbox), source);
    }
    return ask(
        List.of("source:" + Source.narrow(source), "account:" + mailbox),
        Optional.of(mailbox),
        source);
  }

  /**
   * Asks for a name that nobody has; the answers, and the questions to the database, are those for
   * a user that is new from there.
   *
   * @param name one of a bounded number of names that stand for all: each makes a row
   */
  public Answer ask(String name, InetAddress source) {
    UUID nobody = UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    var _ = isKnown(new Place(nobody, Source.wide(source)));
    return ask(
        List.of("source:" + Source.narrow(source), "name:" + name), Optional.empty(), source);
  }

  private Answer ask(List<String> keys, Optional<MailboxId> mailbox, InetAddress source) {
    Instant now = clock.instant();
    readMissing(keys);
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
                    ? new Counter(
                        counter.failures(),
                        counter.trying() + 1,
                        counter.last(),
                        counter.read(),
                        counter.forgiven())
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
        ? new Counter(0, counter.trying(), counter.last(), counter.read(), counter.forgiven())
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
    if (seen == null) {
      Optional<Instant> read =
          fromDatabase(
              from ->
                  from.row(
                          "select last_at from login_source where mailbox_id = ? and source = ?",
                          row -> row.getTimestamp(1).toInstant(),
                          place.mailbox(),
                          place.source())
                      .orElse(Instant.EPOCH));
      if (read.isEmpty()) {
        return false;
      }
      seen = places.asMap().merge(place, read.get(), GuessThrottle::later);
    }
    return clock.instant().isBefore(seen.plus(REMEMBERED));
  }

  private void readMissing(List<String> keys) {
    List<String> missing = keys.stream().filter(this::isMissing).toList();
    if (missing.isEmpty()) {
      return;
    }
    // There are two at most.
    Optional<List<Row>> rows =
        fromDatabase(
            from ->
                from.rows(
                    "select key, failures, last_at from login_failure where key in (?, ?)",
                    row ->
                        new Row(row.getString(1), row.getInt(2), row.getTimestamp(3).toInstant()),
                    missing.getFirst(),
                    missing.getLast()));
    if (rows.isPresent()) {
      for (String key : missing) {
        enter(
            rows.get().stream()
                .filter(row -> row.key().equals(key))
                .findFirst()
                .orElseGet(() -> new Row(key, 0, Instant.EPOCH)));
      }
    }
  }

  private boolean isMissing(String key) {
    Counter counter = counters.getIfPresent(key);
    return counter == null || !counter.read();
  }

  // Empty when there is no database, or it is away.
  private <T> Optional<T> fromDatabase(Function<Database, T> question) {
    if (database.isEmpty() || System.nanoTime() - awayUntil < 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(question.apply(database.get()));
    } catch (JdbiException e) {
      awayUntil = System.nanoTime() + RETRY_NANOS;
      LOG.warn("wrong passwords are counted on this node alone: {}", e.getMessage());
      return Optional.empty();
    }
  }

  // What was counted here since stays on top of what all have counted.
  private void enter(Row row) {
    Delta own = unwritten.getOrDefault(row.key(), Delta.NONE);
    counters
        .asMap()
        .compute(
            row.key(),
            (key, known) ->
                new Counter(
                    Math.max(0, row.failures() + own.failures()),
                    known == null ? 0 : known.trying(),
                    later(row.last(), own.last()),
                    true,
                    known == null ? Instant.EPOCH : known.forgiven()));
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
      deltas.forEach((key, delta) -> unwritten.merge(key, delta, Delta::plus));
      throw e;
    }
    seen.forEach(unwrittenPlaces::remove);
    newFailures.read(database, this::enter);
    newPlaces.read(
        database, each -> places.asMap().merge(each.place(), each.last(), GuessThrottle::later));
  }

  private static Instant later(Instant a, Instant b) {
    return a.isAfter(b) ? a : b;
  }

  private static void write(Handle handle, Map<String, Delta> deltas, Map<Place, Instant> seen) {
    if (!deltas.isEmpty()) {
      PreparedBatch batch =
          handle.prepareBatch(
              "insert into login_failure as f (key, failures, last_at) values (?, greatest(0, ?), ?)"
                  + " on conflict (key) do update set failures = greatest(0, ? + case when"
                  + " f.last_at < excluded.last_at - interval '1 day' then 0 else f.failures end),"
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
                      .bind(3, each.getValue().failures())
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
