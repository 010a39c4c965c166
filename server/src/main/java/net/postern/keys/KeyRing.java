package net.postern.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes keys, and unwraps them on demand. Unwrapped keys stay in memory up to a bound and for
 * {@link #CACHE_LIFE}. Safe for many threads; blocks on the shelf and the stores.
 *
 * <p>A record is read from the shelf (the database), and when that is away, has none, or has one
 * that does not open, from all stores: of the copies that authenticate the one of the highest
 * generation counts.
 */
public final class KeyRing {
  /** How long an unwrapped key is used without asking whether it was erased meanwhile. */
  public static final Duration CACHE_LIFE = Duration.ofMinutes(10);

  private static final Logger LOG = LoggerFactory.getLogger(KeyRing.class);

  /** Unwrapped keys kept in memory: 100 bytes each or so. */
  private static final int CACHED_KEYS = 200_000;

  /** The name of the system's key; there is one in an installation. */
  private static final UUID SYSTEM = new UUID(0, 1);

  private final MasterKeys masters;
  private final KeyPlaces places;
  private final Cache<UUID, SecretKeySpec> customers;
  private final Cache<UUID, MailboxKey> mailboxes;

  /** A mailbox's key and whose mailbox it is. */
  public record MailboxKey(CustomerId customer, SecretKeySpec key) {}

  /** A ring over stores alone, without a database. */
  public KeyRing(MasterKey master, Replicas stores) {
    this(MasterKeys.of(master), stores, KeyShelf.NONE);
  }

  /**
   * @param shelf the database's copy of every record
   */
  public KeyRing(MasterKeys masters, Replicas stores, KeyShelf shelf) {
    this(masters, stores, shelf, Ticker.systemTicker());
  }

  KeyRing(MasterKeys masters, Replicas stores, KeyShelf shelf, Ticker time) {
    this.masters = masters;
    this.places = new KeyPlaces(stores, shelf);
    this.customers =
        Caffeine.newBuilder()
            .maximumSize(CACHED_KEYS)
            .expireAfterWrite(CACHE_LIFE)
            .ticker(time)
            .build();
    this.mailboxes =
        Caffeine.newBuilder()
            .maximumSize(CACHED_KEYS)
            .expireAfterWrite(CACHE_LIFE)
            .ticker(time)
            .build();
  }

  /**
   * Makes a customer's key and keeps it, wrapped, on the shelf and in the stores.
   *
   * @param label the customer's name, at most 1,000 characters; sealed under the master key
   * @throws IOException when too few stores took it; the customer must not be used then
   */
  public void createCustomer(CustomerId customer, String label) throws IOException {
    byte[] key = Aead.random(Aead.KEY_BYTES);
    create(
        KeyRecord.Kind.CUSTOMER,
        customer.value(),
        KeyRecord.parent(masters.current()),
        masters.current().key(),
        key,
        label);
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
    create(
        KeyRecord.Kind.MAILBOX,
        mailbox.value(),
        KeyRecord.parent(customer.value()),
        above,
        key,
        label);
    mailboxes.put(mailbox.value(), new MailboxKey(customer, Aead.key(key)));
  }

  /**
   * The key of a mailbox.
   *
   * @throws KeyErasedException when it, or its customer's, was erased
   * @throws NoSuchFileException when there is none
   * @throws IOException when nobody can give it, or it was wrapped by another master key
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
            record -> new MailboxKey(new CustomerId(record.parentId()), open(record)));
    mailboxes.put(mailbox.value(), fresh);
    return fresh;
  }

  /**
   * The key of a customer, for what belongs to no mailbox of it.
   *
   * @throws KeyErasedException when it was erased
   * @throws NoSuchFileException when there is none
   * @throws IOException when nobody can give it, or it was wrapped by another master key
   */
  public SecretKeySpec customerKey(CustomerId customer) throws IOException {
    return customerKey(customer.value());
  }

  /**
   * The key for what belongs to the installation as a whole. It is made when neither the shelf nor
   * any store has one and all of them could say so; when two nodes make one at the same time, the
   * shelf decides which it is.
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
      key = read(KeyRecord.Kind.SYSTEM, SYSTEM, this::open);
    } catch (NoSuchFileException e) {
      create(
          KeyRecord.Kind.SYSTEM,
          SYSTEM,
          KeyRecord.parent(masters.current()),
          masters.current().key(),
          Aead.random(Aead.KEY_BYTES),
          "system");
      key = read(KeyRecord.Kind.SYSTEM, SYSTEM, this::open);
    }
    customers.put(SYSTEM, key);
    return key;
  }

  /**
   * Drops what is in memory of a key, and of those under it: the next use asks for its record
   * again.
   */
  public void forget(UUID id) {
    mailboxes.invalidate(id);
    customers.invalidate(id);
    mailboxes.asMap().values().removeIf(each -> each.customer().value().equals(id));
  }

  /**
   * The record that erases a mailbox's key once it is on the shelf and in the stores ({@link
   * #spread}).
   *
   * @throws KeyErasedException when it is erased already
   * @throws IOException when its record or its customer's key cannot be had
   */
  public Parcel tombstone(MailboxId mailbox, Instant now) throws IOException {
    return tombstone(KeyRecord.Kind.MAILBOX, mailbox.value(), now);
  }

  /**
   * The record that erases a customer's key, and with it every key of its mailboxes.
   *
   * @throws KeyErasedException when it is erased already
   * @throws IOException when its record cannot be had
   */
  public Parcel tombstone(CustomerId customer, Instant now) throws IOException {
    return tombstone(KeyRecord.Kind.CUSTOMER, customer.value(), now);
  }

  private Parcel tombstone(KeyRecord.Kind kind, UUID id, Instant now) throws IOException {
    return read(
        kind,
        id,
        record ->
            KeyRecord.tombstone(
                    kind, id, record.parent(), KeyRecord.TOMBSTONE_GENERATION, above(record), now)
                .parcel());
  }

  /**
   * What {@link #spread} came to.
   *
   * @param written how many copies were written
   * @param failures one for each store that may lack the record now
   */
  public record Spread(int written, List<IOException> failures) {
    public Spread {
      failures = List.copyOf(failures);
    }

    /** Whether every store has the record. */
    public boolean everywhere() {
      return failures.isEmpty();
    }
  }

  /**
   * Brings shelf and stores to the same record of a key: of those that authenticate the one of the
   * highest generation is right, and is written to whoever has another one or none. One of an old
   * version is written anew.
   *
   * @throws IOException when the shelf is away, or no record authenticates
   */
  public Spread spread(UUID id) throws IOException {
    Optional<Parcel> shelved = places.shelf().get(id);
    List<KeyPlaces.Copy> copies = places.copies(id);
    Parcel right = keep(id, renewed(id, right(id, shelved, copies)));
    List<ObjectStore> lacking =
        copies.stream()
            .filter(copy -> !copy.parcel().equals(Optional.of(right)))
            .map(KeyPlaces.Copy::store)
            .toList();
    List<IOException> failures = places.spread(id, right, lacking);
    places.shelf().written(id, right.generation(), failures.isEmpty());
    return new Spread(lacking.size() - failures.size(), failures);
  }

  /** Where the records are. */
  KeyPlaces places() {
    return places;
  }

  MasterKeys masters() {
    return masters;
  }

  /** The highest record that authenticates. */
  Parcel right(UUID id, Optional<Parcel> shelved, List<KeyPlaces.Copy> copies) throws IOException {
    Collection<Parcel> candidates = KeyPlaces.parcels(copies);
    shelved.ifPresent(candidates::add);
    IOException failure = new IOException("no record of key " + id + " can be trusted");
    for (Parcel each : candidates) {
      try {
        verify(KeyRecord.decode(id, each));
        return each;
      } catch (KeyErasedException e) {
        // What is above it was erased: nothing can be told of this one, and nothing hangs on it.
        return each;
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    throw failure;
  }

  /**
   * Keeps a record that authenticates on the shelf. What the shelf has stays when it is of the same
   * or a higher generation, unless it is certainly none of ours.
   *
   * @return what the shelf has then
   */
  Parcel keep(UUID id, Parcel right) throws IOException {
    Parcel kept = places.shelf().raise(id, right);
    if (kept.equals(right) || !isForged(id, kept)) {
      return kept;
    }
    LOG.warn("the database's record of key {} is damaged or foreign, and is replaced", id);
    return places.shelf().replace(id, kept, right);
  }

  private boolean isForged(UUID id, Parcel parcel) {
    try {
      verify(KeyRecord.decode(id, parcel));
      return false;
    } catch (UntrustedKeyException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void verify(KeyRecord record) throws IOException {
    SecretKeySpec above = above(record);
    if (record.isTombstone()) {
      Instant _ = record.erasedAt(above);
    } else {
      byte[] _ = record.key(above);
      byte[] _ = record.label(above);
    }
  }

  // A record of an old version as one of the current, a generation higher; any other as it is.
  private Parcel renewed(UUID id, Parcel right) throws IOException {
    KeyRecord record = KeyRecord.decode(id, right);
    if (!record.isOld()) {
      return right;
    }
    try {
      return sealed(record, record.parent(), above(record)).parcel();
    } catch (KeyErasedException e) {
      return right;
    }
  }

  /**
   * Whether a parcel was written by someone who has the key to it: a key's record opens under the
   * key above it, an object of the journal under the system's key, settings under their customer's.
   * Makes no key.
   *
   * @param object its name
   */
  public Authenticity judge(String object, Parcel parcel) {
    Optional<UUID> id = KeyRecord.id(object);
    if (id.isEmpty()) {
      return Authenticity.FORGED;
    }
    return switch (object.substring(0, object.indexOf('/'))) {
      case KeyRecord.KIND -> judge(id.get(), parcel);
      case "journal" -> judge(object, parcel, this::existingSystemKey);
      case "settings" -> judge(object, parcel, () -> customerKey(id.get()));
      default -> Authenticity.UNKNOWN;
    };
  }

  private SecretKeySpec existingSystemKey() throws IOException {
    SecretKeySpec cached = customers.getIfPresent(SYSTEM);
    return cached == null ? read(KeyRecord.Kind.SYSTEM, SYSTEM, this::open) : cached;
  }

  /** Gets a key. */
  @FunctionalInterface
  private interface Source {
    SecretKeySpec get() throws IOException;
  }

  private static Authenticity judge(String object, Parcel parcel, Source source) {
    return opens(source, object.getBytes(StandardCharsets.US_ASCII), parcel.content());
  }

  private Authenticity judge(UUID id, Parcel parcel) {
    try {
      verify(KeyRecord.decode(id, parcel));
      return Authenticity.GENUINE;
    } catch (UntrustedKeyException e) {
      return Authenticity.FORGED;
    } catch (KeyErasedException e) {
      return Authenticity.ERASED;
    } catch (IOException e) {
      LOG.debug("key {} cannot be judged", id, e);
      return Authenticity.UNKNOWN;
    }
  }

  private static Authenticity opens(Source source, byte[] context, byte[] sealed) {
    SecretKeySpec key;
    try {
      key = source.get();
    } catch (KeyErasedException e) {
      return Authenticity.ERASED;
    } catch (IOException e) {
      LOG.debug("the key to judge by cannot be had", e);
      return Authenticity.UNKNOWN;
    }
    try {
      Aead.open(key, context, sealed);
      return Authenticity.GENUINE;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return Authenticity.FORGED;
    }
  }

  /**
   * What a record that hangs on a master key is when the current one seals it, a generation higher.
   *
   * @throws IOException when it does not open
   */
  KeyRecord underCurrent(KeyRecord record) throws IOException {
    return sealed(record, KeyRecord.parent(masters.current()), masters.current().key());
  }

  private KeyRecord sealed(KeyRecord record, byte[] parent, SecretKeySpec fresh)
      throws IOException {
    SecretKeySpec above = above(record);
    long generation = record.generation() + 1;
    return record.isTombstone()
        ? KeyRecord.tombstone(
            record.kind(), record.id(), parent, generation, fresh, record.erasedAt(above))
        : KeyRecord.seal(
            record.kind(),
            record.id(),
            parent,
            generation,
            fresh,
            record.key(above),
            record.label(above));
  }

  /**
   * What a store's key records say about whom they are for.
   *
   * @throws IOException when the store cannot be listed
   */
  public KeyLabels.All labels(ObjectStore store) throws IOException {
    return KeyLabels.read(store, this);
  }

  private SecretKeySpec customerKey(UUID customer) throws IOException {
    SecretKeySpec cached = customers.getIfPresent(customer);
    if (cached != null) {
      return cached;
    }
    SecretKeySpec key = read(KeyRecord.Kind.CUSTOMER, customer, this::open);
    customers.put(customer, key);
    return key;
  }

  private void create(
      KeyRecord.Kind kind, UUID id, byte[] parent, SecretKeySpec above, byte[] key, String label)
      throws IOException {
    places.place(
        id,
        KeyRecord.seal(kind, id, parent, 1, above, key, label.getBytes(StandardCharsets.UTF_8))
            .parcel());
  }

  @FunctionalInterface
  private interface Opener<T> {
    T open(KeyRecord record) throws IOException;
  }

  private <T> T read(KeyRecord.Kind kind, UUID id, Opener<T> opener) throws IOException {
    KeyShelf shelf = places.shelf();
    Optional<Parcel> shelved = Optional.empty();
    Optional<IOException> noShelf = Optional.empty();
    try {
      shelved = shelf.get(id);
      if (shelved.isPresent()) {
        return opened(kind, id, shelved.get(), opener);
      }
    } catch (KeyErasedException e) {
      throw e;
    } catch (IOException e) {
      LOG.debug("the shelf does not give key {}", id, e);
      noShelf = Optional.of(e);
    }
    return fromStores(kind, id, shelved, noShelf, opener);
  }

  private <T> T fromStores(
      KeyRecord.Kind kind,
      UUID id,
      Optional<Parcel> shelved,
      Optional<IOException> noShelf,
      Opener<T> opener)
      throws IOException {
    List<KeyPlaces.Copy> copies = places.copies(id);
    if (shelved.isEmpty() && copies.stream().allMatch(KeyPlaces.Copy::absent)) {
      throw new NoSuchFileException(KeyRecord.object(id), null, "no store has it");
    }
    IOException failure = new IOException("no store could give key " + id);
    for (KeyPlaces.Copy copy : copies) {
      if (copy.failure().isPresent()) {
        LOG.warn(
            "store {}: no good copy of key {}: {}",
            copy.store().name(),
            id,
            copy.failure().get().toString());
        failure.addSuppressed(copy.failure().get());
      }
    }
    for (Parcel each : KeyPlaces.parcels(copies)) {
      try {
        T value = opened(kind, id, each, opener);
        adopt(id, each, noShelf.isPresent() && shelved.isEmpty());
        return value;
      } catch (KeyErasedException e) {
        adopt(id, each, noShelf.isPresent() && shelved.isEmpty());
        throw e;
      } catch (IOException e) {
        LOG.warn("a copy of key {} does not open: {}", id, e.getMessage());
        failure = withCause(id, failure, e);
      }
    }
    noShelf.ifPresent(failure::addSuppressed);
    throw failure;
  }

  private static IOException withCause(UUID id, IOException before, IOException cause) {
    IOException failure =
        new IOException("key %s cannot be had: %s".formatted(id, cause.getMessage()));
    for (Throwable each : before.getSuppressed()) {
      failure.addSuppressed(each);
    }
    failure.addSuppressed(cause);
    return failure;
  }

  // The shelf had none, or a worse one: as after an older backup of the database was put back.
  private void adopt(UUID id, Parcel parcel, boolean shelfAway) {
    if (!shelfAway) {
      try {
        Parcel _ = keep(id, parcel);
      } catch (IOException e) {
        LOG.debug("the shelf does not take key {}", id, e);
      }
    }
  }

  private <T> T opened(KeyRecord.Kind kind, UUID id, Parcel parcel, Opener<T> opener)
      throws IOException {
    KeyRecord record = KeyRecord.decode(id, parcel);
    if (record.kind() != kind) {
      throw new IOException("object of key " + id + " holds another key");
    }
    if (record.isTombstone()) {
      throw new KeyErasedException(id, record.erasedAt(above(record)));
    }
    return opener.open(record);
  }

  SecretKeySpec above(KeyRecord record) throws IOException {
    if (!record.underMaster()) {
      return customerKey(record.parentId());
    }
    return masters
        .find(record.masterId())
        .orElseThrow(
            () ->
                new IOException(
                    "key %s was wrapped by master key %s, but %s is configured: put the right one in place as vault.master_key, or name it in vault.previous_master_keys"
                        .formatted(record.id(), record.masterId(), masters.ids())))
        .key();
  }

  private SecretKeySpec open(KeyRecord record) throws IOException {
    return Aead.key(record.key(above(record)));
  }
}
