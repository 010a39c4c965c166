package net.postern.node;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The directory that holds everything of a node, and the claim to be the only process that runs on
 * it.
 *
 * <pre>
 * postern.version   version of this layout, 1
 * node.id           this node's identity
 * lock              locked while a node runs
 * master.key        unless vault.master_key names another file
 * store-1 ... -3    the stores, unless vault.stores names others
 * postgresql/       the bundled database
 * edge-*.pem        the certificate, unless one is configured
 * </pre>
 */
public final class DataDirectory implements AutoCloseable {
  /** Version of the layout that this program writes. */
  public static final int VERSION = 1;

  private final Path root;
  private final UUID node;
  private final Optional<FileLock> lock;
  private final Path claimed;

  // The system's lock belongs to the whole process, and closing any channel to the file gives it
  // up: a second claim in this process must not come as far as opening it.
  private static final Set<Path> CLAIMED = ConcurrentHashMap.newKeySet();

  private DataDirectory(Path root, UUID node, Optional<FileLock> lock, Path claimed) {
    this.root = root;
    this.node = node;
    this.lock = lock;
    this.claimed = claimed;
  }

  /**
   * Claims a data directory, making it when it is missing.
   *
   * @throws StartException when it cannot be written, is of another version, or is in use
   */
  public static DataDirectory claim(Path root) throws StartException {
    try {
      Files.createDirectories(root);
      checkVersion(root);
      Path claimed = root.toRealPath();
      if (!CLAIMED.add(claimed)) {
        throw inUse(root);
      }
      Optional<FileLock> lock = Optional.empty();
      try {
        lock = lock(root);
        writeOnce(root.resolve("postern.version"), VERSION + "\n");
        writeOnce(root.resolve("node.id"), UUID.randomUUID() + "\n");
        return new DataDirectory(root, readId(root.resolve("node.id")), lock, claimed);
      } catch (StartException | IOException | RuntimeException e) {
        if (lock.isPresent()) {
          lock.get().acquiredBy().close();
        }
        CLAIMED.remove(claimed);
        throw e;
      }
    } catch (AccessDeniedException e) {
      throw new StartException(
          "no permission to write in data directory %s (%s): give it to the user that runs Postern (%s), or set node.data to another directory"
              .formatted(root, e.getMessage(), System.getProperty("user.name")),
          e);
    } catch (IOException e) {
      throw new StartException(
          "data directory %s cannot be used: %s; set node.data to another directory"
              .formatted(root, e),
          e);
    }
  }

  /**
   * Looks at a data directory beside the node that may run on it: nothing is claimed or made.
   *
   * @throws StartException when there is none, or it is of another version
   */
  public static DataDirectory beside(Path root) throws StartException {
    try {
      if (!Files.exists(root.resolve("node.id"))) {
        throw new StartException(
            "no Postern has run on data directory %s yet: start one first".formatted(root));
      }
      checkVersion(root);
      return new DataDirectory(root, readId(root.resolve("node.id")), Optional.empty(), root);
    } catch (IOException e) {
      throw new StartException("data directory %s cannot be read: %s".formatted(root, e), e);
    }
  }

  /**
   * Whether a process has claimed a data directory; nothing is made.
   *
   * @throws StartException when that cannot be told
   */
  public static boolean isClaimed(Path root) throws StartException {
    try {
      Path file = root.resolve("lock");
      if (!Files.exists(file)) {
        return false;
      }
      // Within this process not even a look: closing any channel to the file gives the claim up.
      if (CLAIMED.contains(root.toRealPath())) {
        return true;
      }
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock()) {
        return lock == null;
      }
    } catch (IOException e) {
      throw new StartException("data directory %s cannot be read: %s".formatted(root, e), e);
    }
  }

  public Path root() {
    return root;
  }

  /** This node's identity, kept over restarts. */
  public UUID node() {
    return node;
  }

  /** Gives the claim up. */
  @Override
  public void close() {
    if (lock.isPresent()) {
      try {
        lock.get().acquiredBy().close();
      } catch (IOException e) {
        throw new IllegalStateException("cannot give up " + root, e);
      } finally {
        CLAIMED.remove(claimed);
      }
    }
  }

  private static Optional<FileLock> lock(Path root) throws IOException, StartException {
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = channel.tryLock();
    if (lock == null) {
      channel.close();
      throw inUse(root);
    }
    return Optional.of(lock);
  }

  private static StartException inUse(Path root) {
    return new StartException(
        "another Postern runs on data directory %s: stop it, or set node.data to another directory"
            .formatted(root));
  }

  // Whole or not at all, also after a power cut: an empty file would look like damage.
  private static void writeOnce(Path file, String text) throws IOException {
    if (Files.exists(file)) {
      return;
    }
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (FileChannel channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = StandardCharsets.US_ASCII.encode(text);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void checkVersion(Path root) throws IOException, StartException {
    Path file = root.resolve("postern.version");
    if (!Files.exists(file)) {
      return;
    }
    String text = Files.readString(file).strip();
    if (!text.equals("" + VERSION)) {
      throw new StartException(
          "data directory %s is of version %s, this Postern knows version %d: run the Postern that made it, or set node.data to another directory"
              .formatted(root, text, VERSION));
    }
  }

  private static UUID readId(Path file) throws IOException, StartException {
    String text = Files.readString(file).strip();
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw new StartException(
          "%s does not hold this node's identity but \"%s\": put back the file's backup, or remove it if no other node uses the database"
              .formatted(file, text),
          e);
    }
  }
}
