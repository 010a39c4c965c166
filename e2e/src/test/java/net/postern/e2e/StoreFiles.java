package net.postern.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What stores hold, file by file. */
final class StoreFiles {
  private StoreFiles() {}

  /** Files below a directory that a store has: path and content, to compare. */
  static Map<String, byte[]> files(Path store) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(store)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.put(store.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  /** Where stores differ, in words; empty when all hold the same files with the same bytes. */
  static String difference(List<Path> stores) {
    try {
      Map<String, byte[]> first = files(stores.getFirst());
      StringBuilder differences = new StringBuilder();
      for (Path other : stores.subList(1, stores.size())) {
        Map<String, byte[]> second = files(other);
        Set<String> names = new java.util.TreeSet<>(first.keySet());
        names.addAll(second.keySet());
        for (String name : names) {
          byte[] one = first.getOrDefault(name, new byte[0]);
          byte[] two = second.getOrDefault(name, new byte[0]);
          if (first.containsKey(name) != second.containsKey(name)
              || !java.util.Arrays.equals(one, two)) {
            differences.append(
                "%s: %d bytes in %s, %d in %s%n"
                    .formatted(
                        name,
                        first.containsKey(name) ? one.length : -1,
                        stores.getFirst().getFileName(),
                        second.containsKey(name) ? two.length : -1,
                        other.getFileName()));
          }
        }
      }
      return differences.toString();
    } catch (IOException | UncheckedIOException e) {
      return "changing: " + e;
    }
  }
}
