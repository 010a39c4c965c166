package net.postern.vault;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.blob.S3Store;
import net.postern.blob.S3TestStores;
import net.postern.blob.TimedStore;
import net.postern.config.TestConfig;
import net.postern.config.VaultConfig;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.testkit.Await;
import net.postern.testkit.FaultyProxy;
import net.postern.testkit.FaultyProxy.Fault;
import net.postern.testkit.ManualClock;
import net.postern.testkit.S3Server;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The matrix of {@link FaultMatrixTest} over three S3 servers, each behind a proxy that spoils the
 * connection: 10,000 messages a row.
 */
@Tag("long")
class S3FaultMatrixTest {
  private static final int MESSAGES = 10_000;
  private static final int SENDERS = 96;
  private static final Duration LIMIT = Duration.ofMinutes(3);

  @TempDir Path temp;
  private final List<S3Server> servers = new ArrayList<>();
  private final List<FaultyProxy> proxies = new ArrayList<>();
  private final List<S3Store> stores = new ArrayList<>();
  private final MasterKey master = MasterKey.of(Aead.random(Aead.KEY_BYTES));
  private final CustomerId customer = CustomerId.create();
  private final MailboxId mailbox = MailboxId.create();
  private final VaultConfig config =
      TestConfig.vault(
          "store_wait = \"3s\"",
          "read_wait = \"10s\"",
          "segment_size = \"4 MiB\"",
          "scrub_rate = \"1 GiB\"");
  private final Map<Place, byte[]> kept = new ConcurrentHashMap<>();

  @BeforeEach
  void open() throws IOException {
    for (int i = 1; i <= 3; i++) {
      servers.add(new S3Server("mail"));
      proxies.add(new FaultyProxy(servers.getLast().endpoint()));
      stores.add(
          new S3Store(S3TestStores.proxy("s3-" + i, proxies.getLast().endpoint(), "mail", "")));
    }
    KeyRing keys = keys(stores);
    keys.createCustomer(customer, "Example Ltd");
    keys.createMailbox(customer, mailbox, "user@example.com");
  }

  @AfterEach
  void close() throws IOException {
    for (FaultyProxy proxy : proxies) {
      proxy.fault(FaultyProxy.NONE);
      proxy.refusing(false);
    }
    stores.forEach(S3Store::close);
    for (FaultyProxy proxy : proxies) {
      proxy.close();
    }
    servers.forEach(S3Server::close);
  }

  static Stream<Arguments> rows() {
    List<Arguments> rows = new ArrayList<>();
    for (int store = 0; store < 3; store++) {
      for (String fault : List.of("killed", "hangs", "cut", "slow", "503", "damaged")) {
        rows.add(Arguments.of(fault, store));
      }
    }
    return rows.stream();
  }

  private static void spoil(String fault, FaultyProxy proxy) {
    switch (fault) {
      case "killed" -> proxy.refusing(true);
      case "hangs" -> proxy.fault(new Fault.Hang());
      case "cut" ->
          proxy.rule(
              request ->
                  request.number() % 3 == 0
                      ? new Fault.Cut(request.number() % 2 == 0)
                      : FaultyProxy.NONE);
      case "slow" -> proxy.fault(new Fault.Delay(Duration.ofMillis(150)));
      case "503" -> proxy.fault(new Fault.Answer(503, "SlowDown"));
      case "damaged" ->
          proxy.rule(
              request ->
                  request.number() % 3 == 0
                      ? new Fault.Corrupt(request.number() % 2 == 0)
                      : FaultyProxy.NONE);
      default -> throw new IllegalArgumentException(fault);
    }
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("rows")
  void oneServer(String fault, int store) throws Exception {
    List<TimedStore> timed =
        stores.stream().map(each -> TimedStore.around(each, config.readWait())).toList();
    try (SegmentVault vault = vault(timed)) {
      load(vault, MESSAGES / 4);
      spoil(fault, proxies.get(store));
      load(vault, MESSAGES / 2);
      for (int other = 0; other < 3; other++) {
        if (other != store) {
          assertReadable(other, 500);
        }
      }
      proxies.get(store).fault(FaultyProxy.NONE);
      proxies.get(store).refusing(false);
      Await.until(LIMIT, () -> vault.storesUp() == 3);
      load(vault, MESSAGES - kept.size());
    }
    long begun = System.nanoTime();
    // The segment that was open has ended with the vault.
    try (SegmentVault vault = vault(timed)) {
      ManualClock clock = new ManualClock(Instant.now());
      try (Scrubber _ = new Scrubber(config, vault, temp.resolve("scrub"), event -> {}, clock)) {
        Await.until(
            LIMIT,
            () -> {
              clock.advance(Duration.ofDays(8));
              return same();
            });
      }
    }
    for (int each = 0; each < 3; each++) {
      assertReadable(each, MESSAGES);
    }
    System.out.printf(
        "S3 %-8s store %d %6d acknowledged, all in each store; same content %d ms after%n",
        fault, store + 1, kept.size(), (System.nanoTime() - begun) / 1_000_000);
  }

  private SegmentVault vault(List<? extends ObjectStore> over) {
    return new SegmentVault(config, over, keys(stores), event -> {}, Clock.systemUTC());
  }

  private KeyRing keys(List<S3Store> from) {
    return new KeyRing(master, new Replicas(from, 1));
  }

  private void load(SegmentVault vault, int messages) throws Exception {
    AtomicInteger left = new AtomicInteger(messages);
    AtomicReference<Throwable> wrong = new AtomicReference<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < SENDERS; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    while (left.getAndDecrement() > 0 && wrong.get() == null) {
                      byte[] content = new byte[ThreadLocalRandom.current().nextInt(200, 2_000)];
                      ThreadLocalRandom.current().nextBytes(content);
                      try {
                        Kept receipt = vault.keep(frame(content));
                        assertTrue(receipt.copies() >= config.minimum(), receipt::toString);
                        kept.put(receipt.place(), digest(content));
                      } catch (Throwable e) {
                        wrong.compareAndSet(null, e);
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      assertTrue(thread.join(LIMIT), "a sender hangs");
    }
    if (wrong.get() != null) {
      throw new AssertionError("a message was refused", wrong.get());
    }
  }

  private MessageFrame frame(byte[] content) {
    return new MessageFrame(
        MessageId.create(),
        List.of(new MessageFrame.Holder(customer, mailbox)),
        "{}".getBytes(StandardCharsets.UTF_8),
        content);
  }

  private void assertReadable(int store, int most) throws Exception {
    List<S3Store> alone = List.of(stores.get(store));
    MessageReader reader = new StoreReader(() -> alone, keys(alone));
    int seen = 0;
    for (Map.Entry<Place, byte[]> each : kept.entrySet()) {
      assertArrayEquals(each.getValue(), digest(reader.read(each.getKey()).content()));
      if (++seen == most) {
        return;
      }
    }
    assertEquals(kept.size(), seen);
  }

  private boolean same() {
    try {
      Map<String, byte[]> first = content(stores.get(0));
      for (S3Store store : stores.subList(1, 3)) {
        Map<String, byte[]> other = content(store);
        if (!first.keySet().equals(other.keySet())
            || !first.keySet().stream()
                .allMatch(name -> Arrays.equals(first.get(name), other.get(name)))) {
          return false;
        }
      }
      return !first.isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  private static Map<String, byte[]> content(S3Store store) throws IOException {
    Map<String, byte[]> content = new TreeMap<>();
    for (String kind : CatchUp.kinds()) {
      List<ObjectStore.Listed> listed = new ArrayList<>();
      store.list(kind, listed::add);
      for (ObjectStore.Listed each : listed) {
        content.put(each.object(), store.range(each.object(), 0, (int) each.length()));
      }
    }
    return content;
  }

  private static byte[] digest(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
