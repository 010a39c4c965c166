package net.postern.db;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/** Unpacks PostgreSQL's programs from the dependency that carries them. */
final class PostgresBinaries {
  /** Major version of the bundled programs: the data directory's {@code PG_VERSION}. */
  static final String MAJOR = "18";

  private static final Set<java.nio.file.attribute.PosixFilePermission> PROGRAM =
      PosixFilePermissions.fromString("rwxr-xr-x");

  private PostgresBinaries() {}

  /**
   * Unpacks into a directory, unless that was done before. Atomic: other processes may do the same
   * at the same time.
   *
   * @param parent made when missing
   * @return the directory with {@code bin}, {@code lib} and {@code share}
   * @throws DatabaseException when there are none for this machine, or the disk refuses
   */
  static Path unpack(Path parent) throws DatabaseException {
    String resource = "postgres-linux-" + architecture() + ".txz";
    Path home = parent.resolve("postgresql-" + MAJOR + "-" + architecture());
    if (Files.exists(home.resolve("bin/postgres"))) {
      return home;
    }
    try (InputStream packed =
        PostgresBinaries.class.getClassLoader().getResourceAsStream(resource)) {
      if (packed == null) {
        throw new DatabaseException(
            "no bundled PostgreSQL for this machine (%s): set database.url to one of your own"
                .formatted(resource));
      }
      Files.createDirectories(parent);
      Path fresh = parent.resolve("unpacking-" + UUID.randomUUID());
      extract(packed, fresh);
      try {
        Files.move(fresh, home, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        // Another process was first; ours is the same.
        deleteTree(fresh);
        if (!Files.exists(home.resolve("bin/postgres"))) {
          throw e;
        }
      }
      return home;
    } catch (IOException e) {
      throw new DatabaseException("cannot unpack PostgreSQL into %s: %s".formatted(parent, e), e);
    }
  }

  private static String architecture() throws DatabaseException {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch", "");
    if (!os.contains("linux")) {
      throw new DatabaseException(
          "the bundled PostgreSQL runs on Linux only: set database.url to one of your own");
    }
    return switch (arch) {
      case "amd64", "x86_64" -> "x86_64";
      case "aarch64" -> "arm_64";
      default ->
          throw new DatabaseException(
              "no bundled PostgreSQL for processor %s: set database.url to one of your own"
                  .formatted(arch));
    };
  }

  private static void extract(InputStream packed, Path target) throws IOException {
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new XZCompressorInputStream(new BufferedInputStream(packed, 1 << 16)))) {
      TarArchiveEntry entry;
      while ((entry = tar.getNextEntry()) != null) {
        Path file = target.resolve(entry.getName()).normalize();
        if (!file.startsWith(target)) {
          throw new IOException("archive entry outside its directory: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(file);
          continue;
        }
        Path directory = file.getParent();
        if (directory != null) {
          Files.createDirectories(directory);
        }
        if (entry.isSymbolicLink()) {
          Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
        } else {
          Files.copy(tar, file);
          if ((entry.getMode() & 0111) != 0) {
            Files.setPosixFilePermissions(file, PROGRAM);
          }
        }
      }
    }
  }

  static void deleteTree(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
