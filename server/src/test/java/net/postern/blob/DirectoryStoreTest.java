package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStoreTest extends ObjectStoreContract {
  @TempDir Path temp;

  @Override
  protected DirectoryStore open() throws IOException {
    return new DirectoryStore("disk", temp.resolve("deep/down"));
  }

  /** What an admin, an editor or a crash leaves in the directories must not stop a listing. */
  @Test
  void foreignAndUnfinishedFilesAreNoObjects() throws IOException {
    DirectoryStore store = open();
    String object = "segments/" + UUID.randomUUID();
    store.put(object, ByteBuffer.allocate(3));
    Path group = store.root().resolve("segments").resolve(object.substring(9, 11));
    Files.writeString(group.resolve(".DS_Store"), "x");
    Files.writeString(group.resolve(object.substring(9) + ".9f1c.part"), "x");
    Files.writeString(group.resolve("notes.txt~"), "x");
    Files.writeString(store.root().resolve("segments/README"), "x");
    Path elsewhere = store.root().resolve("segments/zz");
    Files.createDirectories(elsewhere);
    Files.writeString(elsewhere.resolve(UUID.randomUUID().toString()), "in the wrong directory");
    List<String> listed = new ArrayList<>();
    store.list("segments", each -> listed.add(each.object()));
    assertEquals(List.of(object), listed);
  }

  /** A cut-off write has the content of what is to be gone. */
  @Test
  void whatAWriteLeftBehindGoesWithItsObject() throws IOException {
    DirectoryStore store = open();
    String object = "segments/" + UUID.randomUUID();
    store.put(object, ByteBuffer.allocate(3));
    Path group = store.root().resolve("segments").resolve(object.substring(9, 11));
    Path own = Files.writeString(group.resolve(object.substring(9) + ".9f1c.part"), "x");
    Path others = Files.writeString(group.resolve(UUID.randomUUID() + ".9f1c.part"), "x");
    store.delete(object);
    assertFalse(Files.exists(own));
    assertTrue(Files.exists(others), "the control: of another object");
  }

  /**
   * An unmounted disk is not an empty store: nothing is made in its place, nothing is "not there".
   */
  @Test
  void aStoreWhoseDirectoryIsGoneFailsAndDoesNotAnswer() throws IOException {
    DirectoryStore store = open();
    String object = "keys/" + UUID.randomUUID();
    store.put(object, ByteBuffer.allocate(3));
    Files.move(store.root(), temp.resolve("away"));
    List<IOException> failures =
        List.of(
            assertThrows(IOException.class, () -> store.length(object)),
            assertThrows(IOException.class, () -> store.range(object, 0, 1)),
            assertThrows(IOException.class, () -> store.put(object, ByteBuffer.allocate(1))),
            assertThrows(IOException.class, () -> store.append("keys/" + UUID.randomUUID())),
            assertThrows(IOException.class, () -> store.delete(object)),
            assertThrows(IOException.class, () -> store.list("keys", each -> {})));
    for (IOException failure : failures) {
      assertFalse(failure instanceof NoSuchFileException, failure::toString);
    }
    assertFalse(Files.exists(store.root()));
    Files.move(temp.resolve("away"), store.root());
    assertEquals(3, store.length(object), "the control: it is back");
  }

  @Test
  void aWriteThatFailsLeavesNothing() throws IOException {
    DirectoryStore store = open();
    String object = "keys/" + UUID.randomUUID();
    store.put(object, ByteBuffer.allocate(8));
    Path file =
        store.root().resolve("keys").resolve(object.substring(5, 7)).resolve(object.substring(5));
    Files.delete(file);
    // A directory in the way: the rename cannot happen.
    Files.createDirectories(file.resolve("x"));
    assertThrows(IOException.class, () -> store.put(object, ByteBuffer.allocate(8)));
    try (var files = Files.list(file.getParent())) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void sayingWhyItCannotBeOpened() throws IOException {
    Path file = temp.resolve("file");
    Files.writeString(file, "x");
    IOException failure =
        assertThrows(IOException.class, () -> new DirectoryStore("disk", file.resolve("below")));
    assertTrue(failure.toString().contains("cannot make directory"), failure::toString);
    assertInstanceOf(IOException.class, failure.getCause());
  }
}
