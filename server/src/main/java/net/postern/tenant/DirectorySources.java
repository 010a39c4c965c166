package net.postern.tenant;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import org.jspecify.annotations.Nullable;

/** Keeps where customers' users come from. The password is sealed under the customer's key. */
public final class DirectorySources {
  private static final Duration LEAST_INTERVAL = Duration.ofMinutes(1);
  private static final Duration MOST_INTERVAL = Duration.ofDays(7);
  private static final Duration MOST_GRACE = Duration.ofDays(365);

  /** How long a node may work on one sync before another one begins it anew. */
  private static final Duration LEASE = Duration.ofMinutes(15);

  private final Database database;
  private final KeyRing keys;

  public DirectorySources(Database database, KeyRing keys) {
    this.database = database;
    this.keys = keys;
  }

  /**
   * What the syncs came to.
   *
   * @param appliedAt when one was last applied
   * @param users of that one
   * @param groups of that one
   * @param triedAt when one was last tried
   * @param trouble why that one was not applied; empty when it was
   * @param detail what there is to say of the last one
   */
  public record Status(
      Instant nextAt,
      Optional<Instant> appliedAt,
      int users,
      int groups,
      Optional<Instant> triedAt,
      String trouble,
      String detail) {}

  /**
   * Sets a customer's source; the next sync is due at once.
   *
   * @throws TenantException when a bound is exceeded or the customer's key cannot be had
   */
  public void set(DirectorySource source) throws TenantException {
    check(source);
    byte @Nullable [] sealed =
        source.password().isPresent() ? seal(source.customer(), source.password().get()) : null;
    UUID customer = source.customer().value();
    database
        .jdbi()
        .useTransaction(
            handle -> {
              handle.execute("delete from directory_source where customer_id = ?", customer);
              handle.execute(
                  "insert into directory_source (customer_id, urls, starttls, trusted, bind_dn,"
                      + " password, base_dn, shape, user_filter, group_filter, mail_attributes,"
                      + " sync_seconds, grace_seconds, max_gone)"
                      + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  customer,
                  source.urls().toArray(String[]::new),
                  source.startTls(),
                  source.trusted(),
                  source.bindDn(),
                  sealed,
                  source.baseDn(),
                  source.shape().name().toLowerCase(Locale.ROOT),
                  source.userFilter(),
                  source.groupFilter(),
                  source.mailAttributes().toArray(String[]::new),
                  (int) source.interval().toSeconds(),
                  (int) source.grace().toSeconds(),
                  source.maxGone());
              handle.execute(
                  "insert into directory_status (customer_id, next_at) values (?, now())"
                      + " on conflict (customer_id) do update set next_at = now()",
                  customer);
            });
  }

  private static void check(DirectorySource source) throws TenantException {
    if (source.urls().isEmpty() || source.baseDn().isBlank()) {
      throw new TenantException("a directory needs a URL and a base DN");
    }
    if (source.interval().compareTo(LEAST_INTERVAL) < 0
        || source.interval().compareTo(MOST_INTERVAL) > 0) {
      throw new TenantException("the interval is from 1 minute to 7 days");
    }
    if (source.grace().isNegative() || source.grace().compareTo(MOST_GRACE) > 0) {
      throw new TenantException("the grace is from 0 to 365 days");
    }
    if (source.maxGone() < 1 || source.maxGone() > 100) {
      throw new TenantException("the share that may be gone at once is from 1 to 100 percent");
    }
    if (source.password().isPresent() && source.bindDn().isEmpty()) {
      throw new TenantException("a password needs a bind DN");
    }
  }

  /** A customer's source. */
  public Optional<DirectorySource> find(CustomerId customer) throws TenantException {
    Optional<Stored> stored =
        database.row(
            "select * from directory_source where customer_id = ?",
            DirectorySources::stored,
            customer.value());
    return stored.isEmpty() ? Optional.empty() : Optional.of(open(stored.get()));
  }

  /**
   * Takes a customer's source away. Its users stay as they are, and from then on are looked after
   * by hand.
   *
   * @return whether there was one
   */
  public boolean remove(CustomerId customer) {
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              UUID id = customer.value();
              handle.execute("delete from directory_status where customer_id = ?", id);
              handle.execute(
                  "update address set source = 'admin', refused_from = null"
                      + " where customer_id = ? and source = 'ldap'",
                  id);
              handle.execute("delete from directory_entry where customer_id = ?", id);
              return handle.execute("delete from directory_source where customer_id = ?", id) > 0;
            });
  }

  /** What the syncs of a customer came to; empty without a source. */
  public Optional<Status> status(CustomerId customer) {
    return database.row(
        "select t.* from directory_status t join directory_source using (customer_id)"
            + " where customer_id = ?",
        row ->
            new Status(
                row.getTimestamp("next_at").toInstant(),
                Optional.ofNullable(row.getTimestamp("applied_at")).map(Timestamp::toInstant),
                row.getInt("users"),
                row.getInt("groups"),
                Optional.ofNullable(row.getTimestamp("tried_at")).map(Timestamp::toInstant),
                row.getString("trouble"),
                row.getString("detail")),
        customer.value());
  }

  /**
   * Takes one customer whose sync is due; no other node gets it meanwhile. After a rebuild every
   * source is due.
   */
  public Optional<CustomerId> lease() {
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              handle.execute(
                  "insert into directory_status (customer_id, next_at)"
                      + " select customer_id, now() from directory_source"
                      + " where customer_id not in (select customer_id from directory_status)"
                      + " on conflict do nothing");
              return handle
                  .createQuery(
                      "update directory_status set next_at = now() + make_interval(secs => ?)"
                          + " where customer_id = (select t.customer_id from directory_status t"
                          + "  join directory_source s using (customer_id) where t.next_at <= now()"
                          + "  order by t.next_at limit 1 for update of t skip locked)"
                          + " returning customer_id")
                  .bind(0, LEASE.toSeconds())
                  .mapTo(UUID.class)
                  .findOne()
                  .map(CustomerId::new);
            });
  }

  /**
   * Enters that a sync was applied.
   *
   * @param trouble of the one before is forgotten
   */
  public void applied(DirectorySource source, int users, int groups, String detail) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update directory_status set applied_at = now(), tried_at = now(), users = ?,"
                        + " groups = ?, trouble = '', detail = ?,"
                        + " next_at = now() + make_interval(secs => ?) where customer_id = ?",
                    users,
                    groups,
                    detail,
                    source.interval().toSeconds(),
                    source.customer().value()));
  }

  /** Enters that a sync was not applied. */
  public void failed(CustomerId customer, String trouble) {
    database
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "update directory_status t set tried_at = now(), trouble = ?, detail = '',"
                        + " next_at = now() + make_interval(secs => s.sync_seconds)"
                        + " from directory_source s"
                        + " where s.customer_id = t.customer_id and t.customer_id = ?",
                    trouble,
                    customer.value()));
  }

  private record Stored(DirectorySource source, byte @Nullable [] sealed) {}

  private static Stored stored(ResultSet row) throws SQLException {
    return new Stored(
        new DirectorySource(
            new CustomerId(row.getObject("customer_id", UUID.class)),
            List.of((String[]) row.getArray("urls").getArray()),
            row.getBoolean("starttls"),
            row.getString("trusted"),
            row.getString("bind_dn"),
            Optional.empty(),
            row.getString("base_dn"),
            DirectorySource.Shape.valueOf(row.getString("shape").toUpperCase(Locale.ROOT)),
            row.getString("user_filter"),
            row.getString("group_filter"),
            List.of((String[]) row.getArray("mail_attributes").getArray()),
            Duration.ofSeconds(row.getInt("sync_seconds")),
            Duration.ofSeconds(row.getInt("grace_seconds")),
            row.getInt("max_gone")),
        row.getBytes("password"));
  }

  private DirectorySource open(Stored stored) throws TenantException {
    DirectorySource source = stored.source();
    byte[] sealed = stored.sealed();
    if (sealed == null) {
      return source;
    }
    try {
      byte[] password =
          Aead.open(keys.customerKey(source.customer()), context(source.customer()), sealed);
      return new DirectorySource(
          source.customer(),
          source.urls(),
          source.startTls(),
          source.trusted(),
          source.bindDn(),
          Optional.of(new String(password, StandardCharsets.UTF_8)),
          source.baseDn(),
          source.shape(),
          source.userFilter(),
          source.groupFilter(),
          source.mailAttributes(),
          source.interval(),
          source.grace(),
          source.maxGone());
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new TenantException(
          "the directory's password does not open with the customer's key; set it again", e);
    } catch (IOException e) {
      throw new TenantException("the customer's key cannot be had: " + e.getMessage(), e);
    }
  }

  private byte[] seal(CustomerId customer, String password) throws TenantException {
    try {
      return Aead.seal(
          keys.customerKey(customer), context(customer), password.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new TenantException("the customer's key cannot be had: " + e.getMessage(), e);
    }
  }

  private static byte[] context(CustomerId customer) {
    return ("directory/" + customer).getBytes(StandardCharsets.US_ASCII);
  }
}
