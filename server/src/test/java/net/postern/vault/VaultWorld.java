package net.postern.vault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import net.postern.blob.DirectoryStore;
import net.postern.blob.FaultyStore;
import net.postern.blob.Replicas;
import net.postern.config.ByteSize;
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
  public static final Duration STORE_WAIT = Duration.ofMillis(400);
  public static final Duration READ_WAIT = Duration.ofSeconds(5);

  public final List<DirectoryStore> disks = new ArrayList<>();
  public final List<FaultyStore> stores = new ArrayList<>();
  public final List<MailEvent> events = new CopyOnWriteArrayList<>();
  public final CustomerId customer = CustomerId.create();
  public final MailboxId mailbox = MailboxId.create();
  public final MailboxId other = MailboxId.create();
  private final MasterKey master = MasterKey.of(Aead.random(Aead.KEY_BYTES));
  private final VaultConfig config;
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
        new VaultConfig(
            List.of(),
            Optional.empty(),
            2,
            STORE_WAIT,
            READ_WAIT,
            new ByteSize(1 << 20),
            new ByteSize(segmentBytes),
            new ByteSize(1L << 30),
            Duration.ofDays(7),
            Optional.empty(),
            List.of(),
            List.of());
    KeyRing keys = keys();
    keys.createCustomer(customer, "Example Ltd");
    keys.createMailbox(customer, mailbox, "user@example.com");
    keys.createMailbox(customer, other, "other@example.com");
  }

  public VaultConfig config() {
    return config;
  }

  /** A ring without anything in memory, over the disks themselves. */
  public KeyRing keys() {
    return new KeyRing(master, new Replicas(disks, 2));
  }

  public SegmentVault vault() {
    if (vault.isEmpty()) {
      vault = Optional.of(new SegmentVault(config, stores, keys(), events::add, Clock.systemUTC()));
    }
    return vault.get();
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

  public void awaitUp(int count) {
    Await.until(() -> vault().storesUp() == count);
  }

  /** The whole of a store's copy of a segment. */
  public byte[] bytes(int store, java.util.UUID segment) throws IOException {
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
  }
}
