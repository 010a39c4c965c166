package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.blob.TimedStore;
import net.postern.config.ByteSize;
import net.postern.config.TestConfig;
import net.postern.config.VaultConfig;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.testkit.Await;

/** Three stores on disks that can misbehave, keys for two mailboxes, and a vault that reopens. */
public final class VaultWorld implements AutoCloseable {
  /** How long a store is waited for: a machine that stalls does not make one of them late. */
  public static final Duration PATIENT = Duration.ofSeconds(20);

  /** The same where a store hangs, and a test needs it to be given up: see {@link #storeWait}. */
  public static final Duration SHORT = Duration.ofSeconds(2);

  public static final Duration READ_WAIT = Duration.ofSeconds(20);

  public final List<DirectoryStore> disks = new ArrayList<>();
  public final List<FaultyStore> stores = new ArrayList<>();

  /** Who writes: the same over restarts. */
  public UUID node = UUID.randomUUID();

  public final List<MailEvent> events = new CopyOnWriteArrayList<>();
  public final CustomerId customer = CustomerId.create();
  public final MailboxId mailbox = MailboxId.create();
  public final MailboxId other = MailboxId.create();
  public Clock clock = Clock.systemUTC();
  public SegmentFacts facts = SegmentFacts.ALL_KEPT;
  private final MasterKey master = MasterKey.of(Aead.random(Aead.KEY_BYTES));
  private VaultConfig config;
  private boolean bounded;
  private Optional<SegmentVault> vault = Optional.empty();

  public VaultWorld(Path directory) throws IOException {
    this(directory, 1 << 20);
  }

  public VaultWorld(Path directory, long segmentBytes) throws IOException {
    for (int i = 1; i <= 3; i++) {
      disks.add(new DirectoryStore("store-" + i, directory.resolve("store-" + i)));
      stores.add(new FaultyStore(disks.getLast()));
    }
    config =
        TestConfig.with(
            TestConfig.vault(
                "store_wait = \"" + PATIENT.toMillis() + "ms\"",
                "read_wait = \"" + READ_WAIT.toMillis() + "ms\"",
                "reserve = \"1 MiB\"",
                "scrub_rate = \"1 GiB\""),
            "segmentSize",
            new ByteSize(segmentBytes));
    KeyRing keys = keys();
    keys.createCustomer(customer, "Example Ltd");
    keys.createMailbox(customer, mailbox, "user@example.com");
    keys.createMailbox(customer, other, "other@example.com");
  }

  public VaultConfig config() {
    return config;
  }

  /** Another {@code vault.store_wait}, for the vaults that are opened from now on. */
  public void storeWait(Duration wait) {
    config = TestConfig.with(config, "storeWait", wait);
  }

  /** A ring without anything in memory, over the disks themselves. */
  public KeyRing keys() {
    return new KeyRing(master, new Replicas(disks, 2));
  }

  /** Has every call to a store bounded, as a node does; before the vault is first used. */
  public void bound() {
    bounded = true;
  }

  public SegmentVault vault() {
    if (vault.isEmpty()) {
      vault = Optional.of(vaultOver(bounded ? timed() : stores));
    }
    return vault.get();
  }

  /** Another vault, over stores that the caller makes of these disks; the caller closes it. */
  public SegmentVault vaultOver(List<? extends ObjectStore> over) {
    return new SegmentVault(
        config, over, keys(), new SegmentNames(node), facts, events::add, clock);
  }

  private List<ObjectStore> timed() {
    List<ObjectStore> timed = new ArrayList<>();
    stores.forEach(store -> timed.add(TimedStore.around(store, READ_WAIT)));
    return timed;
  }

  /** Ends the vault; the next use opens it again, as a restart does. */
  public void restart() {
    vault.ifPresent(SegmentVault::close);
    vault = Optional.empty();
  }

  /** A store, alone with the master key. */
  public MessageReader alone(int store) {
    List<DirectoryStore> one = List.of(disks.get(store));
    return new StoreReader(() -> one, new KeyRing(master, new Replicas(one, 1)));
  }

  public MessageFrame frame(String text) {
    return frame(text.getBytes(StandardCharsets.UTF_8));
  }

  public MessageFrame frame(byte[] content) {
    return new MessageFrame(
        MessageId.create(),
        List.of(new MessageFrame.Holder(customer, mailbox)),
        "{}".getBytes(StandardCharsets.UTF_8),
        content);
  }

  /** In how many stores a frame can be read. */
  public int copies(Place place) {
    int copies = 0;
    for (int i = 0; i < disks.size(); i++) {
      try {
        alone(i).read(place);
        copies++;
      } catch (VaultUnavailableException e) {
        // Not in this one.
      }
    }
    return copies;
  }

  /** Where a store has which messages, from the clear part of their frames. */
  public Map<MessageId, List<Place>> frames(int store) throws IOException {
    Map<MessageId, List<Place>> found = new HashMap<>();
    for (UUID segment : segments(store)) {
      SegmentCopies.find(List.of(disks.get(store)), segment)
          .walk(
              (place, header, frame) ->
                  found.computeIfAbsent(header.id(), id -> new ArrayList<>()).add(place));
    }
    return found;
  }

  /** The segments in a store. */
  public Set<UUID> segments(int store) throws IOException {
    Set<UUID> names = new HashSet<>();
    disks
        .get(store)
        .list(Segment.KIND, each -> names.add(Segment.name(each.object()).orElseThrow()));
    return names;
  }

  /** Bytes of all segments in a store. */
  public long segmentBytes(int store) throws IOException {
    long[] sum = new long[1];
    disks.get(store).list(Segment.KIND, each -> sum[0] += each.length());
    return sum[0];
  }

  /** Puts a byte of one store's copy of a segment out of order. */
  public void damage(int store, UUID segment, long at) throws IOException {
    byte[] bytes = bytes(store, segment);
    bytes[(int) at] ^= 1;
    disks.get(store).put(Segment.object(segment), ByteBuffer.wrap(bytes));
  }

  public void awaitUp(int count) {
    Await.until(() -> vault().storesUp() == count);
  }

  /** The whole of a store's copy of a segment. */
  public byte[] bytes(int store, UUID segment) throws IOException {
    String object = Segment.object(segment);
    DirectoryStore disk = disks.get(store);
    return disk.range(object, 0, (int) disk.length(object));
  }

  @Override
  public void close() {
    for (FaultyStore store : stores) {
      store.mood(FaultyStore.Mood.GOOD);
    }
    restart();
    // What hung may go on by now, and the directories are about to be deleted.
    stores.forEach(FaultyStore::close);
  }
}
