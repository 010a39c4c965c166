package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.blob.Replicas;
import net.postern.blob.S3Store;
import net.postern.blob.S3TestStores;
import net.postern.config.TestConfig;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.testkit.Await;
import net.postern.testkit.FaultyProxy;
import net.postern.testkit.S3Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The vault over three buckets. */
class S3VaultTest extends MessageVaultContract {
  private static final S3Server SERVER = new S3Server("one", "two", "three");

  private final String prefix = UUID.randomUUID() + "/";
  private final List<S3Store> stores = new ArrayList<>();
  private final List<FaultyProxy> proxies = new ArrayList<>();
  private final MasterKey master = MasterKey.of(Aead.random(Aead.KEY_BYTES));
  private final CustomerId customer = CustomerId.create();
  private final MailboxId mailbox = MailboxId.create();
  private final Map<String, SegmentVault> vaults = new ConcurrentHashMap<>();

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @BeforeEach
  void open() throws IOException {
    for (String bucket : List.of("one", "two", "three")) {
      proxies.add(new FaultyProxy(SERVER.endpoint()));
      stores.add(
          new S3Store(S3TestStores.proxy(bucket, proxies.getLast().endpoint(), bucket, prefix)));
    }
    KeyRing keys = keys(stores);
    keys.createCustomer(customer, "Example Ltd");
    keys.createMailbox(customer, mailbox, "user@example.com");
  }

  @AfterEach
  void close() throws IOException {
    restart();
    stores.forEach(S3Store::close);
    for (FaultyProxy proxy : proxies) {
      proxy.close();
    }
  }

  private KeyRing keys(List<S3Store> from) {
    return new KeyRing(master, new Replicas(from, 1));
  }

  private void restart() {
    vaults.values().forEach(SegmentVault::close);
    vaults.clear();
  }

  @Override
  protected SegmentVault vault() {
    return vaults.computeIfAbsent(
        "vault",
        name ->
            new SegmentVault(
                TestConfig.vault(
                    "reserve = \"0 B\"",
                    "segment_size = \"4 MiB\"",
                    "store_wait = \"30s\"",
                    "read_wait = \"20s\""),
                stores,
                keys(stores),
                event -> {},
                Clock.systemUTC()));
  }

  @Override
  protected MessageFrame frame(byte[] content) {
    return new MessageFrame(
        MessageId.create(),
        List.of(new MessageFrame.Holder(customer, mailbox)),
        "{}".getBytes(StandardCharsets.UTF_8),
        content);
  }

  private MessageFrame readAlone(int store, Place place) throws VaultUnavailableException {
    List<S3Store> one = List.of(stores.get(store));
    return new StoreReader(() -> one, keys(one)).read(place);
  }

  /** Across segments, ends and restarts: each bucket alone, with the master key, gives all. */
  @Test
  void anyOneBucketGivesEverything() throws Exception {
    List<Place> places = new ArrayList<>();
    List<byte[]> contents = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      byte[] content = new byte[i % 3 == 0 ? 1 << 20 : 1_000];
      content[0] = (byte) i;
      contents.add(content);
      places.add(vault().keep(frame(content)).place());
      if (i == 6) {
        restart();
      }
    }
    restart();
    for (int store = 0; store < 3; store++) {
      for (int i = 0; i < places.size(); i++) {
        assertArrayEquals(contents.get(i), readAlone(store, places.get(i)).content());
      }
      assertEquals(12, SegmentVault.countFrames(stores.get(store)));
    }
  }

  /** A server that is away is left out with a reason, and gets what it lacks when it is back. */
  @Test
  void aBucketThatWasAwayIsBroughtUpToDate() throws Exception {
    Place before = vault().keep(frame(new byte[10])).place();
    proxies.get(1).fault(new FaultyProxy.Fault.Answer(403, "AccessDenied"));
    Kept kept = vault().keep(frame(new byte[20]));
    assertEquals(2, kept.copies());
    Await.until(() -> vault().storesUp() == 2);
    String why = vault().upkeep().health().get(1).why();
    assertTrue(why.contains("give it the right to read, write"), why);
    proxies.get(1).fault(FaultyProxy.NONE);
    Await.until(() -> vault().storesUp() == 3);
    Await.until(() -> has(1, kept.place()) && has(1, before));
  }

  private boolean has(int store, Place place) {
    try {
      return readAlone(store, place).content().length > 0;
    } catch (VaultUnavailableException e) {
      return false;
    }
  }
}
