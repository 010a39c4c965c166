package net.postern.vault;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.postern.blob.DirectoryStore;
import org.junit.jupiter.api.Assertions;

/** Looks at the files of directory stores, and spoils them behind their backs. */
final class Disks {
  private Disks() {}

  /** Everything of the kinds that all stores are to hold. */
  static Map<String, byte[]> content(DirectoryStore disk) throws IOException {
    Map<String, byte[]> content = new TreeMap<>();
    for (String kind : CatchUp.kinds()) {
      List<String> objects = new java.util.ArrayList<>();
      disk.list(kind, each -> objects.add(each.object()));
      for (String object : objects) {
        content.put(object, bytes(disk, object));
      }
    }
    return content;
  }

  static byte[] bytes(DirectoryStore disk, String object) throws IOException {
    return disk.range(object, 0, (int) disk.length(object));
  }

  static void assertSame(Map<String, byte[]> expected, Map<String, byte[]> actual, String where) {
    Assertions.assertEquals(expected.keySet(), actual.keySet(), where);
    expected.forEach(
        (object, bytes) ->
            Assertions.assertTrue(
                Arrays.equals(bytes, actual.get(object)), where + ": " + object + " differs"));
  }

  /** The lengths of everything; empty while it cannot be listed. */
  static Map<String, Long> sizes(DirectoryStore disk) {
    Map<String, Long> sizes = new TreeMap<>();
    try {
      for (String kind : CatchUp.kinds()) {
        disk.list(kind, each -> sizes.put(each.object(), each.length()));
      }
    } catch (IOException e) {
      sizes.clear();
    }
    return sizes;
  }

  static Path file(DirectoryStore disk, String object) {
    String name = object.substring(object.indexOf('/') + 1);
    return disk.root()
        .resolve(object.substring(0, object.indexOf('/')))
        .resolve(name.substring(0, 2))
        .resolve(name);
  }

  /** Flips one bit in place, as a disk does: no rename, no new file. */
  static void flip(DirectoryStore disk, String object, long at, int bit) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(file(disk, object).toFile(), "rw")) {
      file.seek(at);
      int was = file.read();
      file.seek(at);
      file.write(was ^ (1 << bit));
    }
  }

  static void cut(DirectoryStore disk, String object, long length) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(file(disk, object).toFile(), "rw")) {
      file.setLength(length);
    }
  }

  static void swap(DirectoryStore disk, String one, String other) throws IOException {
    byte[] bytes = bytes(disk, one);
    disk.put(one, ByteBuffer.wrap(bytes(disk, other)));
    disk.put(other, ByteBuffer.wrap(bytes));
  }
}
