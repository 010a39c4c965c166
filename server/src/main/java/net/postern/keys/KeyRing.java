package net.postern.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.security.GeneralSecurityException;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * Makes keys, and unwraps them on demand. Unwrapped keys stay in memory up to a bound. Safe for
 * many threads; blocks on the stores.
 */
public final class KeyRing {
  /** Unwrapped keys kept in memory: 100 bytes each or so. */
  private static final int CACHED_KEYS = 200_000;

  /** The name of the system's key; there is one in an installation. */
  private static final UUID SYSTEM = new UUID(0, 1);

  private final MasterKey master;
  private final Replicas stores;
  private final Cache<UUID, SecretKeySpec> customers =
      Caffeine.newBuilder().maximumSize(CACHED_KEYS).build();
  private final Cache<UUID, MailboxKey> mailboxes =
      Caffeine.newBuilder().maximumSize(CACHED_KEYS).build();

  /** A mailbox's key and whose mailbox it is. */
  public record MailboxKey(CustomerId customer, SecretKeySpec key) {}

  public KeyRing(MasterKey master, Replicas stores) {
    this.master = master;
    this.stores = stores;
  }

  /**
   * Makes a customer's key and keeps it, wrapped, in the stores.
   *
   * @param label the customer's name, at most 1,000 characters; sealed under the master key
   * @throws IOException when too few stores took it; the customer must not be used then
   */
  public void createCustomer(CustomerId customer, String label) throws IOException {
    byte[] parent = KeyRecord.parent(master);
    byte[] key = Aead.random(Aead.KEY_BYTES);
    write(KeyRecord.Kind.CUSTOMER, customer.value(), parent, master.key(), key, label);
    customers.put(customer.value(), Aead.key(key));
  }

  /**
   * Makes a mailbox's key under its customer's.
   *
   * @param label the mailbox's address; sealed under the customer's key
   * @throws IOException when the customer's key cannot be had or too few stores took the new one
   */
  public void createMailbox(CustomerId customer, MailboxId mailbox, String label)
      throws IOException {
    SecretKeySpec above = customerKey(customer.value());
    byte[] key = Aead.random(Aead.KEY_BYTES);
    byte[] parent = KeyRecord.parent(customer.value());
    write(KeyRecord.Kind.MAILBOX, mailbox.value(), parent, above, key, label);
    mailboxes.put(mailbox.value(), new MailboxKey(customer, Aead.key(key)));
  }

  /**
   * The key of a mailbox.
   *
   * @throws NoSuchFileException when there is none (never made, or erased)
   * @throws IOException when no store can give it, or it was wrapped by another master key
   */
  public MailboxKey mailboxKey(MailboxId mailbox) throws IOException {
    MailboxKey cached = mailboxes.getIfPresent(mailbox.value());
    if (cached != null) {
      return cached;
    }
    MailboxKey fresh =
        read(
            KeyRecord.Kind.MAILBOX,
            mailbox.value(),
            record ->
                new MailboxKey(
                    new CustomerId(record.parentId()),
                    unwrap(record, customerKey(record.parentId()))));
    mailboxes.put(mailbox.value(), fresh);
    return fresh;
  }

  /**
   * The key of a customer, for what belongs to no mailbox of it.
   *
   * @throws NoSuchFileException when there is none
   * @throws IOException when no store can give it, or it was wrapped by another master key
   */
  public SecretKeySpec customerKey(CustomerId customer) throws IOException {
    return customerKey(customer.value());
  }

  /**
   * The key for what belongs to the installation as a whole. It is made when no store has one.
   *
   * @throws IOException when it cannot be read or made
   */
  public synchronized SecretKeySpec systemKey() throws IOException {
    SecretKeySpec cached = customers.getIfPresent(SYSTEM);
    if (cached != null) {
      return cached;
    }
    SecretKeySpec key;
    try {
      key = underMaster(KeyRecord.Kind.SYSTEM, SYSTEM);
    } catch (NoSuchFileException e) {
      byte[] fresh = Aead.random(Aead.KEY_BYTES);
      write(KeyRecord.Kind.SYSTEM, SYSTEM, KeyRecord.parent(master), master.key(), fresh, "system");
      // What the stores say now counts, should another node have made one at the same time.
      key = underMaster(KeyRecord.Kind.SYSTEM, SYSTEM);
    }
    customers.put(SYSTEM, key);
    return key;
  }

  /**
   * What a store's key records say about whom they are for.
   *
   * @throws IOException when the store cannot be listed
   */
  public KeyLabels.All labels(ObjectStore store) throws IOException {
    return KeyLabels.read(store, master, this);
  }

  private SecretKeySpec customerKey(UUID customer) throws IOException {
    SecretKeySpec cached = customers.getIfPresent(customer);
    if (cached != null) {
      return cached;
    }
    SecretKeySpec key = underMaster(KeyRecord.Kind.CUSTOMER, customer);
    customers.put(customer, key);
    return key;
  }

  private SecretKeySpec underMaster(KeyRecord.Kind kind, UUID id) throws IOException {
    return read(
        kind,
        id,
        record -> {
          String wrappedBy = new String(record.parent(), StandardCharsets.US_ASCII);
          if (!wrappedBy.equals(master.id())) {
            throw new IOException(
                "key %s was wrapped by master key %s, but the configured one is %s: put the right key file in place"
                    .formatted(id, wrappedBy, master.id()));
          }
          return unwrap(record, master.key());
        });
  }

  private void write(
      KeyRecord.Kind kind, UUID id, byte[] parent, SecretKeySpec above, byte[] key, String label)
      throws IOException {
    byte[] context = KeyRecord.context(kind, id, parent);
    byte[] sealedLabel = Aead.seal(above, context, label.getBytes(StandardCharsets.UTF_8));
    KeyRecord record = new KeyRecord(kind, id, parent, Aead.seal(above, context, key), sealedLabel);
    stores.put(KeyRecord.object(id), new Parcel(1, record.encode()));
  }

  @FunctionalInterface
  private interface Opener<T> {
    T open(KeyRecord record) throws IOException;
  }

  // A copy that is damaged shows when it is opened at the latest; then another store is asked.
  private <T> T read(KeyRecord.Kind kind, UUID id, Opener<T> opener) throws IOException {
    return stores.get(
        KeyRecord.object(id),
        parcel -> {
          KeyRecord record;
          try {
            record = KeyRecord.decode(parcel.content());
          } catch (IllegalArgumentException e) {
            throw new IOException("key " + id + " is damaged: " + e.getMessage(), e);
          }
          if (record.kind() != kind || !record.id().equals(id)) {
            throw new IOException("object of key " + id + " holds another key");
          }
          return opener.open(record);
        });
  }

  private static SecretKeySpec unwrap(KeyRecord record, SecretKeySpec above) throws IOException {
    try {
      byte[] context = KeyRecord.context(record.kind(), record.id(), record.parent());
      return Aead.key(Aead.open(above, context, record.wrapped()));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException("key " + record.id() + " does not unwrap: damaged or foreign", e);
    }
  }
}
