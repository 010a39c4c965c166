package net.postern.tenant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.sasl.ScramKeys;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accounts from the database. Passwords are asked for each time, so that a change counts at once on
 * every node; the rest is cached like the directory, and while the database is away what was last
 * known counts for an hour. After a failure it is asked again after a pause. Nothing is locked
 * while it is asked.
 */
public final class DatabaseAccounts implements Accounts {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseAccounts.class);
  private static final int CACHED = 100_000;
  private static final Duration STALE_LIMIT = Duration.ofHours(1);

  /** The use of an app password is not noted again before. */
  private static final Duration NOTED = Duration.ofMinutes(5);

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(2).toNanos();

  private static final String AWAY = "the database is away";

  private record Known<T>(T value, long loadedNanos) {}

  private record Used(MailboxId mailbox, String name) {}

  private record Owner(CustomerId customer, Optional<MailboxId> mailbox) {}

  private final Database database;
  private final long freshNanos;
  private final Cache<String, Known<Map<String, CustomerId>>> certificates = cache();
  private final Cache<CustomerId, Known<Optional<MailboxId>>> mailboxes = cache();
  private final Cache<Owner, Known<SendLimit>> limits = cache();
  private final Cache<Used, Boolean> noted =
      Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(NOTED).build();
  private volatile long awayUntil = System.nanoTime();

  /**
   * @param fresh how long an answer is used without asking again
   */
  public DatabaseAccounts(Database database, Duration fresh) {
    this.database = database;
    this.freshNanos = fresh.toNanos();
  }

  private static <K, T> Cache<K, Known<T>> cache() {
    return Caffeine.newBuilder().maximumSize(CACHED).expireAfterWrite(STALE_LIMIT).build();
  }

  @Override
  public CredentialLookup find(EmailAddress name) {
    if (isAway()) {
      return new CredentialLookup.Unavailable(AWAY);
    }
    try {
      List<Row> rows =
          database.rows(
              "select a.customer_id, a.mailbox_id, a.address, s.* from address a cross join lateral"
                  + " (select '' name, '' selector, hash, scram_iterations, scram_salt,"
                  + " scram_stored_key, scram_server_key from credential c where c.mailbox_id ="
                  + " a.mailbox_id union all select name, selector, hash, scram_iterations,"
                  + " scram_salt, scram_stored_key, scram_server_key from app_password p where"
                  + " p.mailbox_id = a.mailbox_id) s"
                  // Who left, by the customer's own directory, logs in no more.
                  + " where a.address = ? and (a.refused_from is null or a.refused_from > now())"
                  + " order by s.name",
              row -> new Row(user(row), secret(row)),
              name.key());
      return rows.isEmpty()
          ? new CredentialLookup.Nobody()
          : new CredentialLookup.Found(
              new Credential(rows.getFirst().user(), rows.stream().map(Row::secret).toList()));
    } catch (JdbiException e) {
      leaveAlone();
      LOG.warn("a login cannot be looked up: {}", e.getMessage());
      return new CredentialLookup.Unavailable(AWAY);
    }
  }

  private record Row(Submitter user, Credential.Secret secret) {}

  private static Submitter user(ResultSet row) throws SQLException {
    return new Submitter(
        Submitter.Kind.USER,
        new CustomerId(row.getObject("customer_id", UUID.class)),
        new MailboxId(row.getObject("mailbox_id", UUID.class)),
        row.getString("address"));
  }

  private static Credential.Secret secret(ResultSet row) throws SQLException {
    int iterations = row.getInt("scram_iterations");
    Optional<ScramKeys> scram =
        row.wasNull()
            ? Optional.empty()
            : Optional.of(
                new ScramKeys(
                    iterations,
                    row.getBytes("scram_salt"),
                    row.getBytes("scram_stored_key"),
                    row.getBytes("scram_server_key")));
    return new Credential.Secret(
        row.getString("name"), row.getString("selector"), row.getString("hash"), scram);
  }

  @Override
  public void used(MailboxId mailbox, String appPassword) {
    Used use = new Used(mailbox, appPassword);
    if (noted.getIfPresent(use) != null || isAway()) {
      return;
    }
    noted.put(use, true);
    try {
      database
          .jdbi()
          .useHandle(
              handle ->
                  handle.execute(
                      "insert into app_password_use select mailbox_id, name, now() from app_password"
                          + " where mailbox_id = ? and name = ? on conflict (mailbox_id, name) do"
                          + " update set used_at = excluded.used_at",
                      mailbox.value(),
                      appPassword));
    } catch (JdbiException e) {
      leaveAlone();
      LOG.warn("that an app password was used cannot be noted: {}", e.getMessage());
    }
  }

  @Override
  public Lookup<Optional<MailboxId>> serverMailbox(CustomerId customer) {
    return ask(
        mailboxes,
        customer,
        () ->
            database.row(
                "select server_mailbox from customer where id = ? and server_mailbox is not null",
                row -> new MailboxId(row.getObject(1, UUID.class)),
                customer.value()));
  }

  @Override
  public boolean asksForCertificates() {
    return switch (certificates()) {
      case Lookup.Known<Map<String, CustomerId>>(Map<String, CustomerId> all) -> !all.isEmpty();
      case Lookup.Unavailable<Map<String, CustomerId>> unavailable -> true;
    };
  }

  @Override
  public Lookup<Optional<CustomerId>> certifiedServer(String fingerprint) {
    return switch (certificates()) {
      case Lookup.Known<Map<String, CustomerId>>(Map<String, CustomerId> all) ->
          Lookup.of(Optional.ofNullable(all.get(fingerprint)));
      case Lookup.Unavailable<Map<String, CustomerId>>(String why) -> new Lookup.Unavailable<>(why);
    };
  }

  private Lookup<Map<String, CustomerId>> certificates() {
    return ask(
        certificates,
        "all",
        () ->
            database
                .rows(
                    "select fingerprint, customer_id from server_certificate",
                    row ->
                        Map.entry(row.getString(1), new CustomerId(row.getObject(2, UUID.class))))
                .stream()
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue)));
  }

  @Override
  public Lookup<SendLimit> limits(CustomerId customer, Optional<MailboxId> mailbox) {
    return ask(
        limits,
        new Owner(customer, mailbox),
        () -> {
          @Nullable UUID of = mailbox.map(MailboxId::value).orElse(null);
          return database
              .row(
                  "select messages_hour, messages_day, recipients_hour, recipients_day"
                      + " from send_limit where customer_id = ? and mailbox_id is not distinct from"
                      + " ?::uuid",
                  row ->
                      new SendLimit(number(row, 1), number(row, 2), number(row, 3), number(row, 4)),
                  customer.value(),
                  of)
              .orElse(SendLimit.NONE);
        });
  }

  private static OptionalInt number(ResultSet row, int column) throws SQLException {
    int value = row.getInt(column);
    return row.wasNull() ? OptionalInt.empty() : OptionalInt.of(value);
  }

  private <K, T> Lookup<T> ask(Cache<K, Known<T>> cache, K key, Supplier<T> load) {
    Known<T> old = cache.getIfPresent(key);
    long now = System.nanoTime();
    if (old != null && (now - old.loadedNanos() < freshNanos || isAway())) {
      return Lookup.of(old.value());
    }
    if (isAway()) {
      return new Lookup.Unavailable<>(AWAY);
    }
    try {
      T fresh = load.get();
      cache.put(key, new Known<>(fresh, now));
      return Lookup.of(fresh);
    } catch (JdbiException e) {
      leaveAlone();
      LOG.warn("accounts cannot be read: {}", e.getMessage());
      return old == null ? new Lookup.Unavailable<>(AWAY) : Lookup.of(old.value());
    }
  }

  private boolean isAway() {
    return System.nanoTime() - awayUntil < 0;
  }

  private void leaveAlone() {
    awayUntil = System.nanoTime() + RETRY_NANOS;
  }
}
