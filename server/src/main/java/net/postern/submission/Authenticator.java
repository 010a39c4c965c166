package net.postern.submission;

import com.github.benmanes.caffeine.cache.Ticker;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import net.postern.address.EmailAddress;
import net.postern.config.SubmissionConfig;
import net.postern.sasl.Saslprep;
import net.postern.sasl.ScramKeys;
import net.postern.sasl.ScramServer;
import net.postern.tenant.Accounts;
import net.postern.tenant.Credential;
import net.postern.tenant.CredentialLookup;
import net.postern.tenant.Lookup;
import net.postern.tenant.PasswordHash;
import net.postern.tenant.Submitter;

/**
 * Checks passwords. A name that nobody has costs the same work as a wrong password and gets the
 * same answer. At most {@code submission.hashes_at_once} hashes are made at one time, so that a
 * flood of logins takes neither all memory nor all processors. Safe for many threads; blocks.
 */
public final class Authenticator {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String BUSY = "too many passwords are being checked";
  private static final int NONCE = 18;
  private static final int SALT = 16;

  /** Hexadecimal digits that stand for a name that nobody has, and the bytes that have them. */
  private static final int NAME = 5;

  private static final int NAME_BYTES = 3;

  /** As for passwords that are set by {@link net.postern.tenant.AccountAdmin}. */
  private static final int ITERATIONS = 15_000;

  private final Accounts accounts;
  private final GuessThrottle throttle;
  private final byte[] secret;
  private final Semaphore permits;
  private final Checked checked;
  private final FormerKeys former;
  private final SecureRandom random = new SecureRandom();
  private final String nobodysHash;
  private final boolean scram;

  /**
   * @param secret the same on all nodes, for salts of names that nobody has
   */
  public Authenticator(
      SubmissionConfig config, Accounts accounts, GuessThrottle throttle, byte[] secret) {
    this(config, accounts, throttle, secret, Ticker.systemTicker());
  }

  Authenticator(
      SubmissionConfig config,
      Accounts accounts,
      GuessThrottle throttle,
      byte[] secret,
      Ticker ticker) {
    this.checked = new Checked(ticker);
    this.former = new FormerKeys(ticker);
    this.accounts = accounts;
    this.throttle = throttle;
    this.secret = secret.clone();
    this.permits = new Semaphore(config.hashesAtOnce());
    this.scram = config.scram();
    byte[] nobodys = new byte[NONCE];
    random.nextBytes(nobodys);
    this.nobodysHash =
        new PasswordHash(Math.toIntExact(config.hashMemory().bytes() / 1024), config.hashPasses())
            .of(HexFormat.of().formatHex(nobodys));
  }

  /** Whether SCRAM is to be offered. */
  public boolean offersScram() {
    return scram;
  }

  /**
   * Checks a password that the client sent.
   *
   * @param authorization as whom the client wants to act; empty for itself; otherwise an address of
   *     the same user
   */
  public Login password(String authorization, String name, String password, InetAddress source)
      throws InterruptedException {
    return switch (find(name)) {
      case CredentialLookup.Unavailable(String why) -> new Login.Unavailable(why);
      case CredentialLookup.Found(Credential credential) ->
          check(Optional.of(credential), authorization, name, password, source);
      case CredentialLookup.Nobody() ->
          check(Optional.empty(), authorization, name, password, source);
    };
  }

  private Login check(
      Optional<Credential> credential,
      String authorization,
      String name,
      String password,
      InetAddress source)
      throws InterruptedException {
    GuessThrottle.Attempt attempt;
    switch (ask(credential, name, source)) {
      case GuessThrottle.Answer.Locked(String scope, Duration left) -> {
        return new Login.Locked(scope, left);
      }
      case GuessThrottle.Answer.Allowed allowed -> attempt = allowed.attempt();
    }
    try {
      // What cannot be a password is compared all the same: as a text that no password is.
      String prepared = Saslprep.prepare(password).orElse("");
      List<Credential.Secret> candidates =
          credential.map(each -> each.candidates(prepared)).orElse(List.of());
      boolean isNew = false;
      for (Credential.Secret each : candidates) {
        switch (look(each.hash(), prepared, prepared, true)) {
          case BUSY -> {
            return new Login.Unavailable(BUSY);
          }
          case RIGHT -> {
            return finish(credential.orElseThrow(), each, authorization, attempt);
          }
          case WRONG -> isNew = true;
          case WRONG_AGAIN -> {}
        }
      }
      if (candidates.isEmpty()) {
        Look look = look(nobodysHash, prepared, key(name) + '\0' + prepared, false);
        if (look == Look.BUSY) {
          return new Login.Unavailable(BUSY);
        }
        isNew = look == Look.WRONG;
      }
      // The same wrong password again is a program with an old one: nothing is learnt by it.
      if (isNew) {
        attempt.failed();
      }
      return new Login.Wrong(
          credential.isPresent() ? "wrong password" : "no such user, or one without a password");
    } finally {
      attempt.abandoned();
    }
  }

  private enum Look {
    RIGHT,
    WRONG,
    /** As it was found before. */
    WRONG_AGAIN,
    BUSY
  }

  // Remembers what came of it as that of the text asked.
  private Look look(String hash, String password, String asked, boolean possible)
      throws InterruptedException {
    Optional<Boolean> before = checked.ask(hash, asked);
    if (before.isPresent()) {
      return before.get() ? Look.RIGHT : Look.WRONG_AGAIN;
    }
    if (!permits.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
      return Look.BUSY;
    }
    boolean right;
    try {
      right = PasswordHash.fits(hash, password) && possible;
    } finally {
      permits.release();
    }
    checked.remember(hash, asked, right);
    return right ? Look.RIGHT : Look.WRONG;
  }

  private Login finish(
      Credential credential,
      Credential.Secret secret,
      String authorization,
      GuessThrottle.Attempt attempt) {
    attempt.succeeded();
    Submitter user = credential.user();
    if (secret.isApp()) {
      accounts.used(user.mailbox(), secret.name());
    }
    if (!authorization.isEmpty()
        && !(find(authorization) instanceof CredentialLookup.Found(Credential other)
            && other.user().mailbox().equals(user.mailbox()))) {
      return new Login.Wrong("may not act as someone else");
    }
    return new Login.Ok(user);
  }

  /** A dialogue of SCRAM whose challenge was given. */
  public final class Proof {
    private final ScramServer server;
    private final Optional<Credential> credential;
    private final GuessThrottle.Attempt attempt;
    private final String challenge;

    private Proof(
        ScramServer server,
        Optional<Credential> credential,
        GuessThrottle.Attempt attempt,
        String challenge) {
      this.server = server;
      this.credential = credential;
      this.attempt = attempt;
      this.challenge = challenge;
    }

    /** The server's first message. */
    public String challenge() {
      return challenge;
    }

    /** Judges the client's last message. */
    public ProofResult finish(byte[] message) {
      return switch (server.finish(message)) {
        case ScramServer.End.Malformed() -> {
          attempt.failed();
          yield new ProofResult.Malformed();
        }
        case ScramServer.End.Wrong() -> {
          attempt.failed();
          yield new ProofResult.Ended(
              new Login.Wrong(
                  credential.isPresent() ? "wrong password" : "no such user, or one without SCRAM"),
              "");
        }
        case ScramServer.End.Proven(String last, int which) -> proven(last, which);
      };
    }

    private ProofResult proven(String last, int which) {
      List<Credential.Secret> secrets = credential.map(Credential::forScram).orElse(List.of());
      if (which < secrets.size()) {
        return new ProofResult.Ended(
            Authenticator.this.finish(
                credential.orElseThrow(), secrets.get(which), server.authorization(), attempt),
            last);
      }
      // A program with an old password: nothing is learnt by it.
      attempt.abandoned();
      return new ProofResult.Ended(
          new Login.Wrong(credential.isPresent() ? "wrong password" : "no such user"), "");
    }

    /** The client gave up. It has learnt a salt, and nothing of the password. */
    public void abandon() {
      attempt.abandoned();
    }
  }

  /** How a dialogue of SCRAM ended. */
  public sealed interface ProofResult {
    /**
     * Judged.
     *
     * @param message the server's last message, for a client that is in
     */
    record Ended(Login login, String message) implements ProofResult {}

    record Malformed() implements ProofResult {}
  }

  /** Whether a dialogue of SCRAM goes on. */
  public sealed interface Challenge {
    record Given(Proof proof) implements Challenge {}

    /** It ends here: locked, or not now. */
    record Ended(Login login) implements Challenge {}
  }

  /** Answers the client's first message of SCRAM. */
  public Challenge challenge(ScramServer server, InetAddress source) {
    Optional<Credential> credential;
    switch (find(server.user())) {
      case CredentialLookup.Unavailable(String why) -> {
        return new Challenge.Ended(new Login.Unavailable(why));
      }
      case CredentialLookup.Found(Credential found) ->
          credential = Optional.of(found).filter(each -> !each.forScram().isEmpty());
      case CredentialLookup.Nobody() -> credential = Optional.empty();
    }
    switch (ask(credential, server.user(), source)) {
      case GuessThrottle.Answer.Locked(String scope, Duration left) -> {
        return new Challenge.Ended(new Login.Locked(scope, left));
      }
      case GuessThrottle.Answer.Allowed allowed -> {
        List<ScramKeys> keys =
            credential.isPresent()
                ? nowAndBefore(credential.get())
                : List.of(nobodysKeys(server.user()));
        byte[] nonce = new byte[NONCE];
        random.nextBytes(nonce);
        return new Challenge.Given(
            new Proof(
                server,
                credential,
                allowed.attempt(),
                server.challenge(keys, Base64.getEncoder().encodeToString(nonce))));
      }
    }
  }

  // Those the user has come first, in the order of Credential.forScram.
  private List<ScramKeys> nowAndBefore(Credential credential) {
    List<ScramKeys> keys =
        new ArrayList<>(
            credential.forScram().stream().flatMap(each -> each.scram().stream()).toList());
    keys.addAll(former.of(credential.user().mailbox(), List.copyOf(keys)));
    return keys;
  }

  private GuessThrottle.Answer ask(
      Optional<Credential> credential, String name, InetAddress source) {
    return credential.isPresent()
        ? throttle.ask(credential.get().user().mailbox(), source)
        : throttle.ask(nobody(name), source);
  }

  // One of a million, so that made-up names fill no table; who shares one is nobody either.
  private String nobody(String name) {
    return HexFormat.of().formatHex(mac("name " + key(name)), 0, NAME_BYTES).substring(0, NAME);
  }

  // The same salt each time, as a user's would be, and keys that no password fits.
  private ScramKeys nobodysKeys(String name) {
    byte[] keys = new byte[32];
    random.nextBytes(keys);
    return new ScramKeys(
        ITERATIONS, Arrays.copyOf(mac("salt " + key(name)), SALT), keys, keys.clone());
  }

  private byte[] mac(String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    } catch (java.security.GeneralSecurityException e) {
      throw new IllegalStateException("every Java runtime has HMAC with SHA-256", e);
    }
  }

  private static String key(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private CredentialLookup find(String name) {
    Optional<EmailAddress> address = Saslprep.prepare(name).flatMap(EmailAddress::parse);
    return address.isPresent() ? accounts.find(address.get()) : new CredentialLookup.Nobody();
  }

  /**
   * The user of that name, vouched for by a proxy that checked the password.
   *
   * @return an empty answer when there is no such user
   */
  public Lookup<Optional<Submitter>> vouchedFor(String name) {
    return switch (find(name)) {
      case CredentialLookup.Found(Credential credential) ->
          Lookup.of(Optional.of(credential.user()));
      case CredentialLookup.Nobody() -> Lookup.of(Optional.empty());
      case CredentialLookup.Unavailable(String why) -> new Lookup.Unavailable<>(why);
    };
  }
}
