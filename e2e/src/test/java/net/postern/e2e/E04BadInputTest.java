package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * What an operator can get wrong: each ends the start with the exit code for configuration and one
 * line that says what is wrong and what to do, and leaves everything as it was: the control starts
 * the same installation once the mistake is mended.
 */
@Execution(ExecutionMode.CONCURRENT)
class E04BadInputTest {
  private static final int CONFIGURATION = 78;
  private static final Pattern LOG_LINE = Pattern.compile("^\\d{4}-\\d\\d-\\d\\dT.*");

  @Test
  void unknownKeyAndCertificateWithoutKey() throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.fresh("e04-key")) {
      node.set("edge", "max_mesage", "\"1 MiB\"");
      refused(node, "postern.toml:", "edge.max_mesage", "did you mean edge.max_message?");
      node.unset("edge", "max_mesage");
      Files.writeString(node.directory().resolve("cert.pem"), "a certificate");
      node.set("edge", "certificate", "\"cert.pem\"");
      refused(node, "edge.certificate", "edge.private_key");
      node.unset("edge", "certificate");
      startsFine(node);
    }
  }

  @Test
  void portInUse() throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.fresh("e04-port");
        ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      String address = "127.0.0.1:" + taken.getLocalPort();
      node.set("edge", "listen", "[\"" + address + "\"]");
      refused(node, address, "is in use", "edge.listen");
      assertTrue(node.postgresPid().isEmpty(), "its PostgreSQL runs on");
      node.set("edge", "listen", "[\"127.0.0.1:0\"]");
      node.set("observe", "listen", "\"" + address + "\"");
      refused(node, address, "another program has that port", "observe.listen");
      assertTrue(node.postgresPid().isEmpty(), "its PostgreSQL runs on");
      node.set("observe", "listen", "\"127.0.0.1:0\"");
      startsFine(node);
    }
  }

  @Test
  void dataOfAnotherVersion() throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.fresh("e04-version")) {
      Path version = node.data().resolve("postern.version");
      String before = Files.readString(version);
      Files.writeString(version, "99\n");
      refused(node, "version 99", "node.data");
      assertEquals("99\n", Files.readString(version));
      Files.writeString(version, before);
      startsFine(node);
    }
  }

  @Test
  void masterKeyMissing() throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.fresh("e04-master")) {
      Path key = node.data().resolve("master.key");
      Path away = node.directory().resolve("kept.key");
      Files.move(key, away);
      refused(node, "master.key", "put the copy back");
      assertFalse(Files.exists(key), "a new key was made beside stores that an older one locked");
      Files.move(away, key);
      startsFine(node);
    }
  }

  @Test
  void twoNodesOnOneDirectory() throws IOException, InterruptedException {
    try (NodeProcess node = NodeProcess.fresh("e04-two");
        NodeProcess second = NodeProcess.beside(node)) {
      node.start();
      NodeProcess.Outcome outcome = second.startAndEnd();
      assertRefused(outcome, node.data().toString(), "another Postern runs");
      // The first node did not suffer.
      node.awaitReady(Await.LONG);
      assertTrue(node.postgresPid().isPresent());
    }
  }

  @Test
  void noPermissionToWrite() throws IOException, InterruptedException {
    Machine.needsRoot("starts the node as another user");
    try (NodeProcess node = NodeProcess.fresh("e04-permission")) {
      Files.setPosixFilePermissions(node.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.setPosixFilePermissions(node.data(), PosixFilePermissions.fromString("rwxr-xr-x"));
      node.prefix("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
      refused(node, "no permission", node.data().toString(), "node.data");
      Machine.run("chown", "-R", "65534:65534", node.data().toString());
      startsFine(node);
    }
  }

  private static void refused(NodeProcess node, String... parts)
      throws IOException, InterruptedException {
    Map<String, String> before = kept(node);
    assertRefused(node.startAndEnd(), parts);
    assertEquals(before, kept(node), "something was changed");
  }

  private static void assertRefused(NodeProcess.Outcome outcome, String... parts) {
    assertEquals(CONFIGURATION, outcome.code(), outcome.out());
    List<String> said =
        outcome.out().lines().filter(line -> !LOG_LINE.matcher(line).matches()).toList();
    assertEquals(1, said.size(), "one line, but: " + outcome.out());
    for (String part : parts) {
      assertTrue(said.getFirst().contains(part), "\"" + part + "\" is not in: " + outcome.out());
    }
  }

  private static void startsFine(NodeProcess node) throws IOException {
    node.start();
    node.awaitReady(Await.LONG);
  }

  /** What must not change: the stores, the keys, the identity. */
  private static Map<String, String> kept(NodeProcess node) throws IOException {
    Map<String, String> kept = new java.util.TreeMap<>();
    List<Path> roots = new ArrayList<>(node.stores());
    for (Path root : roots) {
      StoreFiles.files(root)
          .forEach(
              (name, bytes) ->
                  kept.put(root.getFileName() + "/" + name, "" + Arrays.hashCode(bytes)));
    }
    for (String name : List.of("master.key", "node.id", "postern.version")) {
      Path file = node.data().resolve(name);
      kept.put(name, Files.exists(file) ? Files.readString(file) : "missing");
    }
    return kept;
  }
}
