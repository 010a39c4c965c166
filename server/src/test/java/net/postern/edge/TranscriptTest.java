package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.postern.edge.check.About;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every file of {@code edge/transcripts} is a test; {@link Transcript} says how one is written. */
class TranscriptTest {

  private static List<Path> files() throws Exception {
    return files("/edge/transcripts");
  }

  private static List<Path> files(String folder) throws Exception {
    Path directory =
        Path.of(Objects.requireNonNull(TranscriptTest.class.getResource(folder)).toURI());
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

  /** Zone, settings and dialogue of each check on one screen, with a control in each. */
  @TestFactory
  Stream<DynamicTest> checks() throws Exception {
    return files("/edge/checks").stream()
        .map(
            f ->
                DynamicTest.dynamicTest(
                    f.getFileName().toString(), () -> new Transcript(f).play()));
  }

  /** Each check that asks others has a scenario of its name; those without are in transcripts. */
  @Test
  void everyCheckHasAScenario() throws Exception {
    Set<String> names =
        files("/edge/checks").stream()
            .map(file -> String.valueOf(file.getFileName()).replaceAll("(-.*)?\\.smtp$", ""))
            .collect(Collectors.toSet());
    Set<String> lacking =
        new CheckWorld()
            .checks(new TestDirectory(), event -> {}, Optional.empty()).all().stream()
                .map(About::name)
                .filter(name -> !names.contains(name))
                .collect(Collectors.toSet());
    assertEquals(Set.of("relay_control", "own_domain", "known_recipient"), lacking);
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
