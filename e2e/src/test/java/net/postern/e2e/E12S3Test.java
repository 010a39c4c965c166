package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.blob.S3Settings;
import net.postern.blob.S3Store;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.testkit.Await;
import net.postern.testkit.FaultyProxy;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import net.postern.testkit.S3Server;
import net.postern.vault.StoreWalk;
import org.junit.jupiter.api.Test;

/**
 * A node whose three stores are buckets of three S3 servers, as docs/howto/store-in-s3.md has it:
 * mail comes in, one server goes and comes back, the node starts again, and all buckets hold the
 * same. What the commands say of it is true, also of damage.
 */
class E12S3Test {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final List<String> KINDS =
      List.of("keys", "segments", "journal", "settings", "aside");
  private static final int LOAD = 100;

  private final List<AutoCloseable> opened = new ArrayList<>();
  private final List<FaultyProxy> ways = new ArrayList<>();

  /** Not on the way that the node takes. */
  private final List<S3Store> buckets = new ArrayList<>();

  @Test
  void threeServersHoldTheMail() throws Exception {
    try (MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.empty("e12")) {
      configure(node);
      node.start();
      node.adminOk("customer", "add", "acme");
      node.adminOk("domain", "add", NodeProcess.DOMAIN, "--customer", "acme", "--catch-all");
      node.routeTo(sink.port());
      load(node);
      assertEquals(3, node.metric("postern_vault_stores_up"));
      assertEquals(0, node.metric("postern_accepted_total{copies=\"2\"}"));

      // One server is stopped: mail goes on with two copies.
      ways.get(1).refusing(true);
      load(node);
      Await.until(PATIENCE, () -> node.metric("postern_vault_stores_up") == 2);
      assertEquals(1, node.vault("status").code());
      NodeProcess.Outcome down = node.vault("status");
      assertTrue(down.out().contains("store-2 (" + ways.get(1).endpoint()), down.out());

      // It comes back, and gets what it lacks.
      ways.get(1).refusing(false);
      Await.until(PATIENCE, () -> node.metric("postern_vault_stores_up") == 3);
      load(node);
      Await.until(PATIENCE, () -> sink.total() >= 3 * LOAD);
      assertTrue(E02CrashTest.untilNothingWaits(node).contains("balance: 0"));
      assertEquals(0, node.stop(PATIENCE) % 143, node::endOfLog);

      // After a restart all buckets hold the same, whole.
      node.start();
      awaitEqualBuckets(node);
      load(node);
      Await.until(PATIENCE, () -> sink.total() >= 4 * LOAD);
      assertTrue(E02CrashTest.untilNothingWaits(node).contains("balance: 0"));
      awaitEqualBuckets(node);
      assertEquals(4 * LOAD, sink.total(), "each came once");
      Map<UUID, String> messages = messages(node, 0);
      assertEquals(4 * LOAD, messages.size());
      assertEquals(messages, messages(node, 1));
      assertEquals(messages, messages(node, 2));

      NodeProcess.Outcome status = node.vault("status");
      assertEquals(0, status.code(), status.out());
      NodeProcess.Outcome verified = node.vault("verify");
      assertEquals(0, verified.code(), verified.out());
      Map.Entry<UUID, String> one = messages.entrySet().iterator().next();
      String id = one.getKey().toString();
      for (int store = 1; store <= 3; store++) {
        NodeProcess.Outcome got = node.vault("get", id, "--store", "store-" + store);
        assertEquals(0, got.code(), got.out());
        assertEquals(one.getValue(), digest(got.out().getBytes(StandardCharsets.US_ASCII)));
      }

      // The control: a segment is taken away behind the node's back.
      String segment = "segments/" + StoreWalk.segments(buckets.get(2)).getFirst();
      assertEquals(0, node.stop(PATIENCE) % 143, node::endOfLog);
      awaitEqualBuckets(node);
      buckets.get(2).delete(segment);
      NodeProcess.Outcome lacking = node.vault("verify");
      assertEquals(1, lacking.code(), lacking.out());
      node.start();
      node.vault("scrub");
      awaitEqualBuckets(node);
      assertEquals(messages, messages(node, 2));
      assertEquals(0, node.vault("verify").code());
      System.out.printf(
          "E12: %d messages over three S3 servers, %d requests of the third; buckets equal%n",
          sink.total(), ways.get(2).requests().size());
    } finally {
      for (AutoCloseable each : opened.reversed()) {
        each.close();
      }
    }
  }

  private void configure(NodeProcess node) throws IOException {
    Path secret = node.directory().resolve("s3.secret");
    Files.writeString(secret, S3Server.SECRET_KEY + "\n");
    node.set("vault", "copies", "3");
    for (String bucket : List.of("postern-one", "postern-two", "postern-three")) {
      S3Server server = new S3Server(bucket);
      opened.add(server);
      FaultyProxy way = new FaultyProxy(server.endpoint());
      opened.add(way);
      ways.add(way);
      node.append(
          """
          [[vault.s3]]
          endpoint = "%s"
          bucket = "%s"
          prefix = "mail"
          access_key = "%s"
          secret_key_file = "s3.secret"
          """
              .formatted(way.endpoint(), bucket, S3Server.ACCESS_KEY));
      S3Store direct =
          new S3Store(
              new S3Settings(
                  bucket,
                  server.endpoint(),
                  S3Server.REGION,
                  bucket,
                  "mail/",
                  S3Server.ACCESS_KEY,
                  S3Server.SECRET_KEY,
                  true,
                  Optional.empty(),
                  S3Settings.Limits.STANDARD));
      opened.add(direct);
      buckets.add(direct);
    }
  }

  private static void load(NodeProcess node) throws IOException, InterruptedException {
    try (MailLoad load =
        MailLoad.start(
            node::smtp, new MailLoad.Plan(4, LOAD, 3_000, "user@" + NodeProcess.DOMAIN))) {
      load.awaitAll(PATIENCE);
    }
  }

  private void awaitEqualBuckets(NodeProcess node) {
    String[] difference = {""};
    try {
      Await.until(
          PATIENCE,
          () -> {
            difference[0] = difference();
            return difference[0].isEmpty();
          });
    } catch (AssertionError e) {
      throw new AssertionError("buckets differ:\n" + difference[0] + node.endOfLog(), e);
    }
  }

  /** Where buckets differ, in words; empty when all hold the same objects with the same bytes. */
  private String difference() {
    try {
      Map<String, String> first = objects(buckets.getFirst());
      StringBuilder differences = new StringBuilder();
      for (S3Store other : buckets.subList(1, 3)) {
        Map<String, String> second = objects(other);
        Map<String, String> all = new TreeMap<>(first);
        all.putAll(second);
        for (String object : all.keySet()) {
          String one = first.getOrDefault(object, "none");
          String two = second.getOrDefault(object, "none");
          if (!one.equals(two)) {
            differences.append("%s in %s: %s, %s%n".formatted(object, other.name(), one, two));
          }
        }
      }
      return first.isEmpty() ? "nothing there" : differences.toString();
    } catch (IOException e) {
      return "changing: " + e;
    }
  }

  private static Map<String, String> objects(ObjectStore store) throws IOException {
    Map<String, Long> lengths = new HashMap<>();
    for (String kind : KINDS) {
      store.list(kind, each -> lengths.put(each.object(), each.length()));
    }
    Map<String, String> objects = new TreeMap<>();
    for (Map.Entry<String, Long> each : lengths.entrySet()) {
      byte[] content = store.range(each.getKey(), 0, Math.toIntExact(each.getValue()));
      objects.put(each.getKey(), content.length + " bytes, " + digest(content));
    }
    return objects;
  }

  private static String digest(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Every message that a bucket has, read with it and the master key alone. */
  private Map<UUID, String> messages(NodeProcess node, int bucket) throws Exception {
    S3Store alone = buckets.get(bucket);
    MasterKey master = MasterKey.read(node.data().resolve("master.key"));
    StoreWalk walk = new StoreWalk(alone, new KeyRing(master, new Replicas(List.of(alone), 1)));
    Map<UUID, String> messages = new TreeMap<>();
    for (UUID segment : StoreWalk.segments(alone)) {
      walk.walk(
          segment,
          (place, id, content) -> messages.put(id.value(), digest(content.read().content())));
    }
    return messages;
  }
}
