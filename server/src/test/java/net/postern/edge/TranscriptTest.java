package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every file of {@code edge/transcripts} is a test; {@link Transcript} says how one is written. */
class TranscriptTest {

  private static List<Path> files() throws Exception {
    Path directory =
        Path.of(
            Objects.requireNonNull(TranscriptTest.class.getResource("/edge/transcripts")).toURI());
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(f -> f.toString().endsWith(".smtp")).sorted().toList();
    }
  }

  @TestFactory
  Stream<DynamicTest> transcripts() throws Exception {
    return files().stream()
        .map(
            f ->
                DynamicTest.dynamicTest(
                    f.getFileName().toString(), () -> new Transcript(f).play()));
  }

  /** The control of the runner itself: a dialogue that is not what the server does must fail. */
  @Test
  void aWrongTranscriptFails(@org.junit.jupiter.api.io.TempDir Path directory) throws Exception {
    Path wrong = directory.resolve("wrong.smtp");
    Files.writeString(wrong, "S: 220\nC: EHLO a\nS: 250-another.host\n");
    boolean failed = false;
    try {
      new Transcript(wrong).play();
    } catch (AssertionError e) {
      failed = true;
    }
    assertTrue(failed);
  }

  @Test
  void allTopicsAreThere() throws Exception {
    assertTrue(files().size() >= 61, "transcripts are missing: " + files());
  }
}
