package net.postern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import net.postern.vault.VaultWorld;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code vault verify} and {@code vault scrub} without a running node. */
class VaultCheckTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path directory;

  private int run(String command) {
    out.getBuffer().setLength(0);
    return Main.run(
        new PrintWriter(out, true),
        new PrintWriter(err, true),
        "vault",
        command,
        "--config",
        directory.resolve("postern.toml").toString());
  }

  private List<Path> segments() throws IOException {
    List<Path> segments = new ArrayList<>();
    for (int store = 1; store <= 3; store++) {
      try (Stream<Path> files =
          Files.walk(directory.resolve("data/store-" + store + "/segments"))) {
        segments.add(
            files.filter(Files::isRegularFile).min(Comparator.naturalOrder()).orElseThrow());
      }
    }
    return segments;
  }

  private static void flip(Path file, long at, int bit) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      int was = bytes.read();
      bytes.seek(at);
      bytes.write(was ^ (1 << bit));
    }
  }

  @Test
  void damageIsShownThenRepairedThenGone() throws Exception {
    Path data = Files.createDirectories(directory.resolve("data"));
    try (VaultWorld world = new VaultWorld(data)) {
      for (int i = 0; i < 5; i++) {
        world.vault().keep(world.frame("message " + i));
      }
    }
    Files.writeString(data.resolve("master.key"), "00".repeat(32));
    Files.writeString(
        directory.resolve("postern.toml"),
        "[node]\nhostname = \"mx.example.com\"\ndata = \"%s\"\n".formatted(data));

    assertEquals(Exit.OK, run("verify"), () -> out + "" + err);
    assertTrue(out.toString().contains("found 0"), out::toString);

    byte[] before = Files.readAllBytes(segments().getFirst());
    flip(segments().get(0), 100, 1);
    flip(segments().get(1), 20, 1);
    byte[] spoiled = Files.readAllBytes(segments().getFirst());
    assertEquals(Exit.NEGATIVE, run("verify"));
    assertTrue(out.toString().contains("DAMAGED FOUND"), out::toString);
    assertTrue(java.util.Arrays.equals(spoiled, Files.readAllBytes(segments().getFirst())));

    assertEquals(Exit.OK, run("scrub"), out::toString);
    assertTrue(out.toString().contains("found 2, repaired 2, not repaired 0"), out::toString);
    for (Path segment : segments()) {
      assertTrue(java.util.Arrays.equals(before, Files.readAllBytes(segment)), segment::toString);
    }
    assertEquals(Exit.OK, run("verify"));

    for (int store = 0; store < 3; store++) {
      flip(segments().get(store), 150, store);
    }
    assertEquals(Exit.NEGATIVE, run("scrub"), "what cannot be repaired is said");
    assertTrue(out.toString().contains("UNREPAIRED"), out::toString);
    assertEquals("", err.toString());
  }
}
