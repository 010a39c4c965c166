package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.config.ConfigLoader;
import net.postern.config.VaultConfig;
import net.postern.testkit.FaultyProxy;
import net.postern.testkit.S3Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores as the configuration has them, directories and buckets. */
class StoresTest {
  private static final S3Server SERVER = new S3Server("bucket");

  @TempDir Path temp;

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  private VaultConfig config(String endpoint, String bucket) throws IOException {
    Path secret = temp.resolve("secret");
    if (Files.notExists(secret)) {
      Files.writeString(secret, S3Server.SECRET_KEY + "\n");
    }
    String text =
        """
        [node]
        hostname = "mx1.example.com"
        data = "data"
        [vault]
        stores = ["one", "two"]
        copies = 3
        [[vault.s3]]
        endpoint = "%s"
        bucket = "%s"
        prefix = "mail"
        access_key = "%s"
        secret_key_file = "secret"
        """
            .formatted(endpoint, bucket, S3Server.ACCESS_KEY);
    return ConfigLoader.fromText(text, temp).vault();
  }

  private Path data() throws IOException {
    return Files.createDirectories(temp.resolve("data"));
  }

  @Test
  void directoriesComeFirstAndAllCanBeUsed() throws Exception {
    try (Stores stores = Stores.open(config(SERVER.endpoint().toString(), "bucket"), data())) {
      assertEquals(3, stores.list().size());
      for (int i = 0; i < 3; i++) {
        ObjectStore store = stores.list().get(i);
        assertEquals("store-" + (i + 1), store.name());
        String object = "things/" + UUID.randomUUID();
        store.put(object, ByteBuffer.allocate(5));
        assertEquals(5, store.length(object));
      }
      assertTrue(
          stores.list().get(2).toString().contains("bucket bucket/mail/"),
          stores.list().get(2)::toString);
      assertFalse(stores.list().get(2).toString().contains(S3Server.SECRET_KEY));
    }
  }

  /** A master key is made only when every store has said that it has no keys of another one. */
  @Test
  void theFirstStartWantsEveryStore() throws Exception {
    String endpoint = SERVER.endpoint().toString();
    VaultConfig wrong = config(endpoint, "missing");
    StartException failure = assertThrows(StartException.class, () -> Stores.open(wrong, data()));
    assertTrue(
        failure.toString().contains("has no bucket \"missing\"; make it"), failure::toString);
    assertFalse(Files.exists(data().resolve("master.key")));
    Files.writeString(temp.resolve("secret"), "something else");
    VaultConfig secret = config(endpoint, "bucket");
    failure = assertThrows(StartException.class, () -> Stores.open(secret, data()));
    assertTrue(failure.toString().contains("the secret key is not the one"), failure::toString);
    Files.writeString(temp.resolve("secret"), "\n");
    failure = assertThrows(StartException.class, () -> Stores.open(secret, data()));
    assertTrue(failure.toString().contains("does not hold a secret key"), failure::toString);
    Files.writeString(temp.resolve("secret"), S3Server.SECRET_KEY);
    Stores.open(config(endpoint, "bucket"), data()).close();
    assertTrue(Files.exists(data().resolve("master.key")), "the control");
  }

  @Test
  void laterOneThatIsAwayDoesNotKeepTheNodeFromStarting() throws Exception {
    try (FaultyProxy proxy = new FaultyProxy(SERVER.endpoint())) {
      VaultConfig config = config(proxy.endpoint().toString(), "bucket");
      Stores.open(config, data()).close();
      proxy.refusing(true);
      try (Stores stores = Stores.open(config, data())) {
        ObjectStore away = stores.list().get(2);
        assertThrows(IOException.class, () -> away.list("keys", each -> {}));
        proxy.refusing(false);
        away.list("keys", each -> {});
      }
    }
  }
}
