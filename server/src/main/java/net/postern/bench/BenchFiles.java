package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/** The place of a measurement. */
final class BenchFiles {
  private BenchFiles() {}

  /**
   * Makes a directory that other users can look into: Postfix's processes have their queue in it.
   */
  static Path make() throws BenchException {
    try {
      return Files.createDirectory(
          Path.of(
              System.getProperty("java.io.tmpdir"),
              "postern-bench-" + ProcessHandle.current().pid()),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    } catch (IOException e) {
      throw new BenchException("cannot make a temporary directory", e);
    }
  }

  /** Removes a directory with all that is in it, if it is there. */
  static void delete(Path root) {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      System.err.println("postern: cannot remove " + root + ": " + e.getMessage());
    }
  }
}
