package net.postern.submission;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.sasl.ScramKeys;
import net.postern.tenant.Accounts;
import net.postern.tenant.Credential;
import net.postern.tenant.CredentialLookup;
import net.postern.tenant.Lookup;
import net.postern.tenant.PasswordHash;
import net.postern.tenant.SendLimit;
import net.postern.tenant.Submitter;

/** Accounts in memory. Their hashes are as cheap as Argon2id can be. */
public final class TestAccounts implements Accounts {
  public static final PasswordHash CHEAP = new PasswordHash(8, 1);

  private final CustomerId customer;
  private final Map<String, Credential> credentials = new ConcurrentHashMap<>();
  private final Map<String, CustomerId> certificates = new ConcurrentHashMap<>();
  public final Map<CustomerId, MailboxId> serverMailboxes = new ConcurrentHashMap<>();
  public final Map<UUID, SendLimit> limits = new ConcurrentHashMap<>();
  public final AtomicInteger asked = new AtomicInteger();
  public volatile boolean away;

  public TestAccounts(CustomerId customer) {
    this.customer = customer;
  }

  /** The mailbox of an address is always the same. */
  public static MailboxId mailbox(String address) {
    return new MailboxId(UUID.nameUUIDFromBytes(address.getBytes(StandardCharsets.UTF_8)));
  }

  public Submitter user(String address) {
    return new Submitter(Submitter.Kind.USER, customer, mailbox(address), address);
  }

  public void add(String address, String password) {
    byte[] salt = address.getBytes(StandardCharsets.UTF_8);
    credentials.put(address, new Credential(user(address), List.of(secret("", password, salt))));
  }

  /** Adds a password that begins with six characters and a dash. */
  public void addApp(String address, String name, String password) {
    byte[] salt = address.getBytes(StandardCharsets.UTF_8);
    List<Credential.Secret> all = new ArrayList<>();
    Optional.ofNullable(credentials.get(address)).ifPresent(each -> all.addAll(each.secrets()));
    all.add(secret(name, password, salt));
    credentials.put(address, new Credential(user(address), all));
  }

  private static Credential.Secret secret(String name, String password, byte[] salt) {
    return new Credential.Secret(
        name,
        name.isEmpty() ? "" : password.substring(0, 6),
        CHEAP.of(password),
        Optional.of(ScramKeys.of(password, salt, 4096)));
  }

  /** App passwords that were used, in order. */
  public final List<String> used = new CopyOnWriteArrayList<>();

  @Override
  public void used(MailboxId mailbox, String appPassword) {
    used.add(appPassword);
  }

  public void certificate(String fingerprint) {
    certificates.put(fingerprint, customer);
  }

  /** Takes back what {@link #certificate} gave. */
  public void noCertificate(String fingerprint) {
    certificates.remove(fingerprint);
  }

  @Override
  public CredentialLookup find(EmailAddress name) {
    asked.incrementAndGet();
    if (away) {
      return new CredentialLookup.Unavailable("away on purpose");
    }
    Credential found = credentials.get(name.key());
    return found == null ? new CredentialLookup.Nobody() : new CredentialLookup.Found(found);
  }

  @Override
  public Lookup<Optional<MailboxId>> serverMailbox(CustomerId of) {
    return answer(Optional.ofNullable(serverMailboxes.get(of)));
  }

  @Override
  public boolean asksForCertificates() {
    return away || !certificates.isEmpty();
  }

  @Override
  public Lookup<Optional<CustomerId>> certifiedServer(String fingerprint) {
    return answer(Optional.ofNullable(certificates.get(fingerprint)));
  }

  @Override
  public Lookup<SendLimit> limits(CustomerId of, Optional<MailboxId> mailbox) {
    return answer(
        limits.getOrDefault(mailbox.map(MailboxId::value).orElse(of.value()), SendLimit.NONE));
  }

  private <T> Lookup<T> answer(T value) {
    return away ? new Lookup.Unavailable<>("away on purpose") : Lookup.of(value);
  }

  public static InetAddress at(String address) {
    return InetAddress.ofLiteral(address);
  }
}
