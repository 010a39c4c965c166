package net.postern.tenant;

import java.io.IOException;
import java.security.SecureRandom;
import java.sql.Timestamp;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.regex.Pattern;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.KeyRing;
import net.postern.sasl.Saslprep;
import net.postern.sasl.ScramKeys;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;

/**
 * Changes to what lets users and servers send: passwords, limits, certificates. Every method checks
 * its input and throws {@link TenantException} with a message for the person who asked.
 */
public final class AccountAdmin {
  /** NIST SP 800-63B asks for 8 at least where a password stands alone. */
  public static final int MIN_PASSWORD = 10;

  /** RFC 7677 §4 suggests so many where clients are no small devices. */
  static final int SCRAM_ITERATIONS = 15_000;

  /** The label of the mailbox for what a customer's servers send; an address it has not. */
  static final String SERVERS = "servers";

  private static final String ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";
  private static final int GENERATED = 24;
  private static final int SALT = 16;

  /** Characters of an app password that are kept, so that it is known which one it may be. */
  private static final int SELECTOR = 6;

  private static final int MAX_NAME = 60;

  /** App passwords of one user. */
  static final int MAX_APP_PASSWORDS = 20;

  private static final Pattern FINGERPRINT = Pattern.compile("[0-9a-f]{64}");

  private final Database database;
  private final KeyRing keys;
  private final SecureRandom random = new SecureRandom();

  public AccountAdmin(Database database, KeyRing keys) {
    this.database = database;
    this.keys = keys;
  }

  /** A password that nobody guesses: 120 random bits. */
  public String generate() {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < GENERATED; i++) {
      out.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
      if (i % 6 == 5 && i < GENERATED - 1) {
        out.append('-');
      }
    }
    return out.toString();
  }

  /**
   * Sets a user's password.
   *
   * @param user one of the user's addresses
   * @param form how much the hash costs
   * @param scram whether keys for SCRAM are kept too
   */
  public void setPassword(EmailAddress user, String password, PasswordHash form, boolean scram)
      throws TenantException {
    String prepared =
        Saslprep.prepare(password)
            .filter(each -> each.codePointCount(0, each.length()) >= MIN_PASSWORD)
            .orElseThrow(
                () ->
                    new TenantException(
                        "a password has %d to %d characters, none of them a control character"
                            .formatted(MIN_PASSWORD, Saslprep.MAX_LENGTH)));
    Owner owner = owner(user);
    String hash = form.of(prepared);
    keep(
        owner,
        prepared,
        scram,
        (handle, proof) ->
            handle.execute(
                "insert into credential (mailbox_id, customer_id, hash, scram_iterations,"
                    + " scram_salt, scram_stored_key, scram_server_key) values (?, ?, ?,"
                    + " ?::integer, ?::bytea, ?::bytea, ?::bytea) on conflict (mailbox_id) do update"
                    + " set hash = excluded.hash, scram_iterations = excluded.scram_iterations,"
                    + " scram_salt = excluded.scram_salt,"
                    + " scram_stored_key = excluded.scram_stored_key,"
                    + " scram_server_key = excluded.scram_server_key, changed_at = now()",
                owner.mailbox(),
                owner.customer(),
                hash,
                proof.iterations(),
                proof.salt(),
                proof.stored(),
                proof.server()));
  }

  /**
   * Takes a user's password away, and the app passwords too: nobody can log in as this user.
   *
   * @return whether there was any
   */
  public boolean removePassword(EmailAddress user) throws TenantException {
    UUID mailbox = owner(user).mailbox();
    return change("delete from credential where mailbox_id = ?", mailbox)
            + change("delete from app_password where mailbox_id = ?", mailbox)
        > 0;
  }

  /**
   * Makes a password for one program of a user's, beside the user's own.
   *
   * @param name what the user calls it, 1 to {@value #MAX_NAME} characters; no other has it
   * @return the password, of which no more than the hash is kept
   */
  public String addAppPassword(EmailAddress user, String name, PasswordHash form, boolean scram)
      throws TenantException {
    String called = name.strip();
    if (called.isEmpty()
        || called.length() > MAX_NAME
        || called.chars().anyMatch(Character::isISOControl)) {
      throw new TenantException(
          "the name of an app password has 1 to %d characters, none of them a control character"
              .formatted(MAX_NAME));
    }
    Owner owner = owner(user);
    String password = generate();
    String hash = form.of(password);
    keep(
        owner,
        password,
        scram,
        (handle, proof) -> {
          List<String> names =
              handle
                  .select("select name from app_password where mailbox_id = ?", owner.mailbox())
                  .mapTo(String.class)
                  .list();
          if (names.contains(called)) {
            throw new TenantException(
                "%s has an app password \"%s\" already; remove that one or take another name"
                    .formatted(user, called));
          }
          if (names.size() >= MAX_APP_PASSWORDS) {
            throw new TenantException(
                "%s has %d app passwords, and more are not possible; remove one with 'admin user app-password remove'"
                    .formatted(user, names.size()));
          }
          return handle.execute(
              "insert into app_password (mailbox_id, customer_id, name, selector, hash,"
                  + " scram_iterations, scram_salt, scram_stored_key, scram_server_key) values (?,"
                  + " ?, ?, ?, ?, ?::integer, ?::bytea, ?::bytea, ?::bytea)",
              owner.mailbox(),
              owner.customer(),
              called,
              password.substring(0, SELECTOR),
              hash,
              proof.iterations(),
              proof.salt(),
              proof.stored(),
              proof.server());
        });
    return password;
  }

  /** A user's app passwords, by name. */
  public List<AppPassword> appPasswords(EmailAddress user) throws TenantException {
    return database.rows(
        "select p.name, p.created_at, u.used_at from app_password p left join app_password_use u on"
            + " u.mailbox_id = p.mailbox_id and u.name = p.name where p.mailbox_id = ? order by"
            + " p.name",
        row ->
            new AppPassword(
                row.getString(1),
                row.getTimestamp(2).toInstant(),
                Optional.ofNullable(row.getTimestamp(3)).map(Timestamp::toInstant)),
        owner(user).mailbox());
  }

  /** Takes an app password back; the others stay. */
  public void removeAppPassword(EmailAddress user, String name) throws TenantException {
    int removed =
        change(
            "delete from app_password where mailbox_id = ? and name = ?",
            owner(user).mailbox(),
            name.strip());
    if (removed == 0) {
      throw new TenantException(
          "%s has no app password \"%s\"; 'admin user app-password list' shows those there are"
              .formatted(user, name));
    }
  }

  /** What is kept for SCRAM, or nothing. */
  private record Proof(
      @Nullable Integer iterations,
      byte @Nullable [] salt,
      byte @Nullable [] stored,
      byte @Nullable [] server) {
    static final Proof NONE = new Proof(null, null, null, null);
  }

  private interface Keeping {
    int keep(Handle handle, Proof proof) throws TenantException;
  }

  // All passwords of a mailbox have one salt for SCRAM: the server has to name it before it can
  // tell which of them the client has. The mailbox is locked, so that two do not make one each.
  private void keep(Owner owner, String prepared, boolean scram, Keeping keeping)
      throws TenantException {
    inTransaction(
        handle -> {
          lock(handle, owner.customer(), owner.mailbox());
          keeping.keep(handle, scram ? proof(handle, owner, prepared) : Proof.NONE);
        });
  }

  // An erasure has the customer's lock from its beginning (LegalHolds.lock): it finds what is
  // written here, or it was before this, and then nothing is written.
  private static void lock(Handle handle, UUID customer, @Nullable UUID mailbox)
      throws TenantException {
    boolean there =
        handle
            .select(
                "select id from customer where id = ? and name <> ? || id::text for key share",
                customer,
                Erasures.ERASED_NAME)
            .mapTo(UUID.class)
            .findOne()
            .isPresent();
    if (!there) {
      throw new TenantException("customer " + customer + " was erased; nothing was changed");
    }
    if (mailbox != null
        && handle
            .select("select id from mailbox where id = ? and erased_at is null for update", mailbox)
            .mapTo(UUID.class)
            .findOne()
            .isEmpty()) {
      throw new TenantException("mailbox " + mailbox + " was erased; nothing was changed");
    }
  }

  private Proof proof(Handle handle, Owner owner, String prepared) {
    byte[] salt =
        handle
            .select(
                "select scram_salt from credential where mailbox_id = ? and scram_iterations = ?"
                    + " union all select scram_salt from app_password where mailbox_id = ? and"
                    + " scram_iterations = ? limit 1",
                owner.mailbox(),
                SCRAM_ITERATIONS,
                owner.mailbox(),
                SCRAM_ITERATIONS)
            .map((row, context) -> row.getBytes(1))
            .findFirst()
            .orElseGet(this::newSalt);
    ScramKeys keys = ScramKeys.of(prepared, salt, SCRAM_ITERATIONS);
    return new Proof(keys.iterations(), keys.salt(), keys.storedKey(), keys.serverKey());
  }

  private byte[] newSalt() {
    byte[] salt = new byte[SALT];
    random.nextBytes(salt);
    return salt;
  }

  /** Sets a user's limits; empty ones are as configured. */
  public void limit(EmailAddress user, SendLimit limit) throws TenantException {
    Owner owner = owner(user);
    limit(owner.customer(), owner.mailbox(), limit);
  }

  /** Sets a customer's limits, for all its users and servers together. */
  public void limit(Customer customer, SendLimit limit) throws TenantException {
    limit(customer.id().value(), null, limit);
  }

  private void limit(UUID customer, @Nullable UUID mailbox, SendLimit limit)
      throws TenantException {
    inTransaction(
        handle -> {
          lock(handle, customer, mailbox);
          handle.execute(
              "insert into send_limit values"
                  + " (?, ?::uuid, ?::integer, ?::integer, ?::integer, ?::integer)"
                  + " on conflict (customer_id, mailbox_id) do update set messages_hour ="
                  + " excluded.messages_hour, messages_day = excluded.messages_day, recipients_hour ="
                  + " excluded.recipients_hour, recipients_day = excluded.recipients_day",
              customer,
              mailbox,
              number(limit.messagesHour()),
              number(limit.messagesDay()),
              number(limit.recipientsHour()),
              number(limit.recipientsDay()));
        });
  }

  /**
   * Makes the mailbox for what a customer's servers send, unless there is one. Registering a server
   * does so too.
   */
  public void ensureServerMailbox(CustomerId customer) throws TenantException {
    boolean there =
        database
            .row(
                "select server_mailbox is not null from customer where id = ?",
                row -> row.getBoolean(1),
                customer.value())
            .orElseThrow(() -> new TenantException("no customer " + customer));
    if (there) {
      return;
    }
    MailboxId mailbox = MailboxId.create();
    try {
      keys.createMailbox(customer, mailbox, SERVERS);
    } catch (IOException e) {
      throw new TenantException("the mailbox's key could not be kept: " + e.getMessage(), e);
    }
    // Of two at once one wins; a key that nothing uses is no harm.
    database
        .jdbi()
        .useTransaction(
            handle -> {
              handle.execute(
                  "insert into mailbox (id, customer_id) values (?, ?)",
                  mailbox.value(),
                  customer.value());
              handle.execute(
                  "update customer set server_mailbox = ? where id = ? and server_mailbox is null",
                  mailbox.value(),
                  customer.value());
            });
  }

  /**
   * Registers a server by its certificate, wherever it connects from.
   *
   * @param fingerprint SHA-256 of the certificate, hexadecimal, colons allowed
   * @param subject whom the certificate names, for people
   */
  public void addCertificate(Customer customer, String fingerprint, String subject)
      throws TenantException {
    String plain = plain(fingerprint);
    ensureServerMailbox(customer.id());
    int added =
        change(
            "insert into server_certificate (fingerprint, customer_id, subject) values (?, ?, ?)"
                + " on conflict do nothing",
            plain,
            customer.id().value(),
            subject);
    if (added == 0) {
      throw new TenantException("a server with this certificate is registered already");
    }
  }

  /** Takes back what {@link #addCertificate} gave. */
  public void removeCertificate(Customer customer, String fingerprint) throws TenantException {
    int removed =
        change(
            "delete from server_certificate where fingerprint = ? and customer_id = ?",
            plain(fingerprint),
            customer.id().value());
    if (removed == 0) {
      throw new TenantException(
          "\"%s\" has no server with the certificate %s; 'admin customer servers' lists those it has"
              .formatted(customer.name(), fingerprint));
    }
  }

  /**
   * A certificate by which a server is known.
   *
   * @param subject whom it names; may be empty
   */
  public record ServerCertificate(String fingerprint, String subject) {}

  /** The certificates of a customer's own servers, in order. */
  public List<ServerCertificate> certificates(Customer customer) {
    return database.rows(
        "select fingerprint, subject from server_certificate where customer_id = ? order by"
            + " subject, fingerprint",
        row -> new ServerCertificate(row.getString(1), row.getString(2)),
        customer.id().value());
  }

  private static String plain(String fingerprint) throws TenantException {
    String plain = fingerprint.replace(":", "").toLowerCase(Locale.ROOT);
    if (!FINGERPRINT.matcher(plain).matches()) {
      throw new TenantException(
          "\"" + fingerprint + "\" is no SHA-256 fingerprint: it has 64 hexadecimal digits");
    }
    return plain;
  }

  private record Owner(UUID mailbox, UUID customer) {}

  private Owner owner(EmailAddress user) throws TenantException {
    return database
        .row(
            "select mailbox_id, customer_id from address where address = ?",
            row -> new Owner(row.getObject(1, UUID.class), row.getObject(2, UUID.class)),
            user.key())
        .orElseThrow(
            () -> new TenantException("no user " + user + "; add it with 'admin user add'"));
  }

  private static @Nullable Integer number(OptionalInt value) {
    return value.isPresent() ? value.getAsInt() : null;
  }

  private interface Work {
    void apply(Handle handle) throws TenantException;
  }

  private void inTransaction(Work work) throws TenantException {
    try {
      database.jdbi().<TenantException>useTransaction(work::apply);
    } catch (JdbiException e) {
      throw new TenantException("it could not be changed: " + e.getMessage(), e);
    }
  }

  private int change(String sql, @Nullable Object... arguments) throws TenantException {
    try {
      return database.jdbi().withHandle(handle -> handle.execute(sql, arguments));
    } catch (JdbiException e) {
      throw new TenantException("it could not be changed: " + e.getMessage(), e);
    }
  }
}
