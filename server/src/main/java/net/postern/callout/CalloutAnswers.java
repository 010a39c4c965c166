package net.postern.callout;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.LongSupplier;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answers of customers' servers, in the database for all nodes and in front of it in memory.
 * While the database is away what is in memory is used, and nothing is written down.
 */
final class CalloutAnswers {
  private static final Logger LOG = LoggerFactory.getLogger(CalloutAnswers.class);
  private static final int CACHED = 200_000;

  /** Within this time another node's newer answer may go unseen. */
  private static final long FRESH_NANOS = Duration.ofSeconds(30).toNanos();

  /** The reply that is kept, in characters. */
  private static final int MAX_REPLY = 500;

  /** Rows that one pass of {@link #prune} deletes. */
  private static final int PRUNED = 10_000;

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /** A definite answer and when it was given. */
  record Answer(boolean known, Instant at) {}

  /**
   * What is known of a domain's servers.
   *
   * @param takesAll empty: never probed
   * @param probedAt when that was found out
   */
  record Domain(Optional<Boolean> takesAll, Instant probedAt, String trouble) {
    static final Domain NEW = new Domain(Optional.empty(), Instant.EPOCH, "");
  }

  private record Remembered<T>(T value, long readNanos) {}

  private final Database database;
  private final LongSupplier nanos;
  private volatile long awayUntil;
  private final Cache<String, Remembered<Answer>> answers =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(Duration.ofDays(1)).build();
  private final Cache<String, Remembered<Domain>> domains =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(Duration.ofDays(1)).build();

  CalloutAnswers(Database database) {
    this(database, System::nanoTime);
  }

  /**
   * @param nanos time as {@link System#nanoTime} tells it
   */
  CalloutAnswers(Database database, LongSupplier nanos) {
    this.database = database;
    this.nanos = nanos;
    this.awayUntil = nanos.getAsLong();
  }

  Optional<Answer> find(EmailAddress address) {
    String key = address.key();
    Remembered<Answer> old = answers.getIfPresent(key);
    if (old != null && isFresh(old)) {
      return Optional.of(old.value());
    }
    if (isAway()) {
      return positive(old);
    }
    try {
      Optional<Answer> stored =
          database.row(
              "select known, answered_at from callout_answer where address = ?",
              row ->
                  new Answer(row.getBoolean("known"), row.getTimestamp("answered_at").toInstant()),
              key);
      stored.ifPresent(answer -> answers.put(key, new Remembered<>(answer, nanos.getAsLong())));
      return stored;
    } catch (JdbiException e) {
      away("answers cannot be read", e);
      return positive(old);
    }
  }

  // An old no may since have become a yes.
  private static Optional<Answer> positive(@Nullable Remembered<Answer> old) {
    return Optional.ofNullable(old).map(Remembered::value).filter(Answer::known);
  }

  /** Whether the database failed a moment ago and is not asked now. */
  boolean isAway() {
    return nanos.getAsLong() - awayUntil < 0;
  }

  private void away(String what, JdbiException e) {
    awayUntil = nanos.getAsLong() + RETRY_NANOS;
    LOG.debug(what, e);
  }

  void put(EmailAddress address, boolean known, Instant at, String reply) {
    answers.put(address.key(), new Remembered<>(new Answer(known, at), nanos.getAsLong()));
    write(
        "insert into callout_answer (address, domain, known, answered_at, reply)"
            + " values (?, ?, ?, ?, ?) on conflict (address) do update set"
            + " known = excluded.known, answered_at = excluded.answered_at, reply = excluded.reply",
        address.key(),
        address.domain(),
        known,
        Timestamp.from(at),
        reply.length() <= MAX_REPLY ? reply : reply.substring(0, MAX_REPLY));
  }

  Domain domain(String name) {
    Remembered<Domain> old = domains.getIfPresent(name);
    if (old != null && isFresh(old)) {
      return old.value();
    }
    if (isAway()) {
      return old == null ? Domain.NEW : old.value();
    }
    try {
      Domain stored =
          database
              .row(
                  "select accepts_all, probed_at, trouble from callout_domain where domain = ?",
                  row ->
                      new Domain(
                          Optional.ofNullable((Boolean) row.getObject("accepts_all")),
                          Optional.ofNullable(row.getTimestamp("probed_at"))
                              .map(Timestamp::toInstant)
                              .orElse(Instant.EPOCH),
                          row.getString("trouble")),
                  name)
              .orElse(Domain.NEW);
      domains.put(name, new Remembered<>(stored, nanos.getAsLong()));
      return stored;
    } catch (JdbiException e) {
      away("answers cannot be read", e);
      return old == null ? Domain.NEW : old.value();
    }
  }

  void probed(String name, boolean takesAll, Instant at) {
    Domain before = domain(name);
    domains.put(
        name,
        new Remembered<>(
            new Domain(Optional.of(takesAll), at, before.trouble()), nanos.getAsLong()));
    write(
        "insert into callout_domain (domain, accepts_all, probed_at) values (?, ?, ?)"
            + " on conflict (domain) do update set accepts_all = excluded.accepts_all,"
            + " probed_at = excluded.probed_at",
        name,
        takesAll,
        Timestamp.from(at));
  }

  /**
   * @param trouble empty: the server answered
   */
  void trouble(String name, String trouble, Instant at) {
    Domain before = domain(name);
    domains.put(
        name,
        new Remembered<>(
            new Domain(before.takesAll(), before.probedAt(), trouble), nanos.getAsLong()));
    write(
        "insert into callout_domain (domain, trouble, trouble_since) values (?, ?, ?)"
            + " on conflict (domain) do update set trouble = excluded.trouble,"
            + " trouble_since = excluded.trouble_since",
        name,
        trouble,
        trouble.isEmpty() ? null : Timestamp.from(at));
  }

  /** Deletes what is older than any use of it. */
  void prune(Instant positiveBefore, Instant negativeBefore) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "delete from callout_answer where address in (select address from"
                        + " callout_answer where answered_at < ? and (not known or answered_at < ?)"
                        + " limit ?)",
                    Timestamp.from(negativeBefore),
                    Timestamp.from(positiveBefore),
                    PRUNED));
  }

  private void write(String sql, @Nullable Object... values) {
    // What is not kept the other nodes ask for themselves.
    if (isAway()) {
      return;
    }
    try {
      database.jdbi().useHandle(handle -> handle.execute(sql, values));
    } catch (JdbiException e) {
      away("an answer cannot be kept", e);
    }
  }

  private boolean isFresh(Remembered<?> old) {
    return nanos.getAsLong() - old.readNanos() < FRESH_NANOS;
  }
}
