package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @TempDir Path temp;

  private static void refused(Path root, String why) {
    StartException failure = assertThrows(StartException.class, () -> DataDirectory.claim(root));
    assertTrue(String.valueOf(failure.getMessage()).contains(why), failure::getMessage);
  }

  @Test
  void oneAtATimeAndTheIdentityStays() throws Exception {
    Path root = temp.resolve("data");
    UUID node;
    try (DataDirectory claimed = DataDirectory.claim(root)) {
      node = claimed.node();
      refused(root, "another Postern runs");
      // The failed attempt must not have given up the lock that other processes see.
      assertTrue(lockedForOthers(root.resolve("lock")));
      refused(root, "another Postern runs");
    }
    try (DataDirectory again = DataDirectory.claim(root)) {
      assertEquals(node, again.node());
      assertEquals(node, DataDirectory.beside(root).node());
    }
  }

  private static boolean lockedForOthers(Path lock) throws Exception {
    // /proc/locks names every POSIX lock of the machine by device and inode.
    Object inode = Files.getAttribute(lock, "unix:ino");
    return Files.readAllLines(Path.of("/proc/locks")).stream()
        .anyMatch(
            line ->
                line.contains(":" + inode + " ")
                    && line.contains(" " + ProcessHandle.current().pid() + " "));
  }

  @Test
  void anotherVersionIsRefusedAndLeftAsItIs() throws Exception {
    Path root = temp.resolve("data");
    DataDirectory.claim(root).close();
    Files.writeString(root.resolve("postern.version"), "99\n");
    refused(root, "is of version 99, this Postern knows version 1");
    assertEquals("99\n", Files.readString(root.resolve("postern.version")));
    Files.writeString(root.resolve("postern.version"), "1\n");
    DataDirectory.claim(root).close();
  }

  @Test
  void aDamagedIdentityIsNotReplacedAndTheClaimIsGivenUp() throws Exception {
    Path root = temp.resolve("data");
    DataDirectory.claim(root).close();
    String id = Files.readString(root.resolve("node.id"));
    Files.writeString(root.resolve("node.id"), "nonsense\n");
    refused(root, "does not hold this node's identity");
    Files.writeString(root.resolve("node.id"), id);
    DataDirectory.claim(root).close();
  }

  @Test
  void aFileInTheWayIsSaid() throws Exception {
    Files.writeString(temp.resolve("file"), "x");
    refused(temp.resolve("file/below"), "cannot be used");
  }

  /** The control for the lock: another process gets it only when nobody has it. */
  @Test
  void anotherProcessIsKeptOut() throws Exception {
    Path root = temp.resolve("data");
    DataDirectory.claim(root).close();
    Path lock = root.resolve("lock");
    Process other =
        new ProcessBuilder(
                "python3",
                "-c",
                "import fcntl,sys\nf=open(sys.argv[1],'w')\nfcntl.lockf(f,fcntl.LOCK_EX)\n"
                    + "print('locked',flush=True)\nsys.stdin.read()",
                lock.toString())
            .redirectErrorStream(true)
            .start();
    try (var out = other.inputReader()) {
      org.junit.jupiter.api.Assumptions.assumeTrue("locked".equals(out.readLine()));
      refused(root, "another Postern runs");
    } finally {
      other.destroyForcibly();
      assertTrue(other.waitFor(20, TimeUnit.SECONDS));
    }
    DataDirectory.claim(root).close();
  }
}
