package net.postern.greylist;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import net.postern.config.GreylistConfig;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers what was put off and what passed, for all nodes. Safe for many threads; blocks on the
 * database.
 */
public final class Greylist {
  private static final Logger LOG = LoggerFactory.getLogger(Greylist.class);

  /** Passes after which a network is not put off any more, whatever it sends; RFC 6647 §5. */
  static final int PASSES_OF_NETWORK = 5;

  /** What passed is believed for so long without asking the database. */
  private static final Duration REMEMBERED = Duration.ofMinutes(10);

  private static final int CACHED = 100_000;

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(2).toNanos();

  private static final int KEY_BYTES = 16;

  /** Rows that {@link #forget} removes in one statement. */
  private static final int BATCH = 10_000;

  private final Database database;
  private final GreylistConfig config;
  private final InstantSource clock;
  private final Cache<ByteBuffer, Instant> passed =
      Caffeine.newBuilder().maximumSize(CACHED).build();
  private final LongSupplier nanos;
  private volatile long awayUntil;
  private final AtomicLong putOff = new AtomicLong();
  private final AtomicLong let = new AtomicLong();
  private final AtomicLong unasked = new AtomicLong();

  /** What is to be done. */
  public sealed interface Answer {
    /** It may come in. */
    record Pass() implements Answer {}

    /**
     * It has to come again.
     *
     * @param seconds after which it passes; at least 1
     */
    record Later(long seconds) implements Answer {}

    /** The database could not say. */
    record Unknown() implements Answer {}
  }

  public Greylist(Database database, GreylistConfig config, InstantSource clock) {
    this(database, config, clock, System::nanoTime);
  }

  /**
   * @param nanos time as {@link System#nanoTime} tells it
   */
  Greylist(Database database, GreylistConfig config, InstantSource clock, LongSupplier nanos) {
    this.database = database;
    this.config = config;
    this.clock = clock;
    this.nanos = nanos;
    this.awayUntil = nanos.getAsLong();
  }

  /** Looks at an attempt and notes it. */
  public Answer attempt(Triple triple) {
    Instant now = clock.instant();
    byte[] domain =
        triple.spfDomain().map(name -> key("domain", triple.customer(), name)).orElse(new byte[0]);
    byte[] network = key("network", triple.customer(), network(triple.client()));
    byte[] whole = key(triple);
    if (isRemembered(domain, now) || isRemembered(network, now) || isRemembered(whole, now)) {
      let.incrementAndGet();
      return new Answer.Pass();
    }
    if (nanos.getAsLong() - awayUntil < 0) {
      unasked.incrementAndGet();
      return new Answer.Unknown();
    }
    try {
      Answer answer =
          database
              .jdbi()
              .inTransaction(handle -> attempt(handle, triple, now, domain, network, whole));
      (answer instanceof Answer.Pass ? let : putOff).incrementAndGet();
      return answer;
    } catch (JdbiException e) {
      awayUntil = nanos.getAsLong() + RETRY_NANOS;
      LOG.warn("greylisting is off while the database is away: {}", e.toString());
      unasked.incrementAndGet();
      return new Answer.Unknown();
    }
  }

  private Answer attempt(
      Handle handle, Triple triple, Instant now, byte[] domain, byte[] network, byte[] whole) {
    if (domain.length > 0 && renewed(handle, domain, 1, now)) {
      remember(domain, now);
      return new Answer.Pass();
    }
    if (renewed(handle, network, PASSES_OF_NETWORK, now)) {
      remember(network, now);
      return new Answer.Pass();
    }
    Timestamp at = Timestamp.from(now);
    Timestamp due = Timestamp.from(now.minus(config.delay()));
    // One statement, so that two nodes that see the two attempts at once do not both begin anew.
    Row row =
        handle
            .createQuery(
                """
                insert into greylist as g (key, customer_id, first_at, passes, expires_at)
                values (:key, :customer, :now, 0, :window)
                on conflict (key) do update set
                  first_at = case when g.expires_at <= :now then :now else g.first_at end,
                  passes = case
                    when g.expires_at <= :now then 0
                    when g.passes > 0 or g.first_at <= :due then g.passes + 1
                    else 0 end,
                  expires_at = case
                    when g.expires_at <= :now then :window
                    when g.passes > 0 or g.first_at <= :due then :life
                    else g.expires_at end
                returning first_at, passes""")
            .bind("key", whole)
            .bind("customer", triple.customer().value())
            .bind("now", at)
            .bind("due", due)
            .bind("window", Timestamp.from(now.plus(config.window())))
            .bind("life", Timestamp.from(now.plus(config.passLife())))
            .map(
                (row_, context) ->
                    new Row(row_.getTimestamp("first_at").toInstant(), row_.getInt("passes")))
            .one();
    if (row.passes() == 0) {
      Duration left = Duration.between(now, row.firstAt().plus(config.delay()));
      return new Answer.Later(Math.max(1, left.toSeconds() + (left.toNanosPart() > 0 ? 1 : 0)));
    }
    if (row.passes() == 1) {
      if (domain.length > 0) {
        count(handle, triple.customer(), domain, now);
      }
      count(handle, triple.customer(), network, now);
    }
    remember(whole, now);
    return new Answer.Pass();
  }

  private record Row(Instant firstAt, int passes) {}

  /** Whether it passed so often within its life; then its life begins anew. */
  private boolean renewed(Handle handle, byte[] key, int passes, Instant now) {
    return handle.execute(
            "update greylist set expires_at = ? where key = ? and passes >= ? and expires_at > ?",
            Timestamp.from(now.plus(config.passLife())),
            key,
            passes,
            Timestamp.from(now))
        > 0;
  }

  private void count(Handle handle, CustomerId customer, byte[] key, Instant now) {
    Timestamp at = Timestamp.from(now);
    handle.execute(
        "insert into greylist as g (key, customer_id, first_at, passes, expires_at)"
            + " values (?, ?, ?, 1, ?) on conflict (key) do update set"
            + " passes = case when g.expires_at <= ? then 1 else g.passes + 1 end,"
            + " expires_at = excluded.expires_at",
        key,
        customer.value(),
        at,
        Timestamp.from(now.plus(config.passLife())),
        at);
  }

  private boolean isRemembered(byte[] key, Instant now) {
    Instant until = passed.getIfPresent(ByteBuffer.wrap(key));
    return until != null && now.isBefore(until);
  }

  private void remember(byte[] key, Instant now) {
    Duration life = config.passLife().compareTo(REMEMBERED) < 0 ? config.passLife() : REMEMBERED;
    passed.put(ByteBuffer.wrap(key), now.plus(life));
  }

  /**
   * Removes what has expired. Any node, at any time.
   *
   * @return how many rows
   */
  public int forget() {
    Timestamp now = Timestamp.from(clock.instant());
    int all = 0;
    int some;
    do {
      some =
          database
              .jdbi()
              .withHandle(
                  handle ->
                      handle.execute(
                          "delete from greylist where key in (select key from greylist"
                              + " where expires_at <= ? limit ?)",
                          now,
                          BATCH));
      all += some;
    } while (some == BATCH);
    return all;
  }

  /** Attempts that were put off since start. */
  public long putOff() {
    return putOff.get();
  }

  /** Attempts that passed since start. */
  public long let() {
    return let.get();
  }

  /** Attempts that passed since start because the database was away. */
  public long unasked() {
    return unasked.get();
  }

  private byte[] key(Triple triple) {
    String source =
        triple
            .spfDomain()
            .map(name -> "domain " + name)
            .or(() -> triple.hostDomain().map(name -> "host " + name))
            .orElseGet(() -> "network " + network(triple.client()));
    return key(
        "triple",
        triple.customer(),
        source,
        SenderForm.of(triple.reversePath()),
        triple.recipient().key());
  }

  private String network(InetAddress client) {
    byte[] bytes = client.getAddress();
    int mask = bytes.length == 4 ? config.ipv4Mask() : config.ipv6Mask();
    for (int bit = mask; bit < bytes.length * 8; bit++) {
      bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
    }
    try {
      return InetAddress.getByAddress(bytes).getHostAddress() + "/" + mask;
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 or 16 bytes are an address", e);
    }
  }

  private static byte[] key(String kind, CustomerId customer, String... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((kind + "\n" + customer).getBytes(StandardCharsets.UTF_8));
      for (String part : parts) {
        digest.update(("\n" + part).getBytes(StandardCharsets.UTF_8));
      }
      return Arrays.copyOf(digest.digest(), KEY_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Forgets all that was asked for a customer's recipients. */
  public static void erase(Handle handle, CustomerId customer) {
    handle.execute("delete from greylist where customer_id = ?", customer.value());
  }
}
