package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.postern.edge.check.About;
import net.postern.edge.check.Checks;
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

  /** What protects besides the checks: each has a dialogue of its name, without the number. */
  private static final Set<String> PROTECTIONS =
      Set.of(
          "aliases",
          "auth-dialogue",
          "auth-too-often",
          "callout",
          "callout-cannot-say",
          "catch-all",
          "client-certificate",
          "flood",
          "foreign-protocol",
          "groups",
          "junk-commands",
          "proxy",
          "registered-server",
          "send-limits",
          "smuggling",
          "starttls-injection",
          "subaddresses",
          "submission",
          "tarpit",
          "too-many-errors",
          "users",
          "xclient");

  private static List<String> checkNames() {
    List<String> names = new ArrayList<>();
    for (Checks each :
        List.of(
            new CheckWorld().checks(new TestDirectory(), event -> {}, Optional.empty()),
            Checks.ofSubmission(new TestDirectory()))) {
      each.all().stream().map(About::name).forEach(names::add);
    }
    return names;
  }

  @Test
  void everyCheckHasAScenario() throws Exception {
    Set<String> names =
        files("/edge/checks").stream()
            .map(file -> String.valueOf(file.getFileName()).replaceAll("(-.*)?\\.smtp$", ""))
            .collect(Collectors.toSet());
    assertEquals(
        new TreeSet<>(checkNames()), new TreeSet<>(names), "checks, and files of edge/checks");
  }

  /** In each file somebody is refused, or the filter told, and somebody passes. */
  @Test
  void everyScenarioHasACaseAndAControl() throws Exception {
    Set<String> protecting = new TreeSet<>();
    List<Path> scenarios = new ArrayList<>(files("/edge/checks"));
    for (Path file : files()) {
      String topic = String.valueOf(file.getFileName()).replaceAll("^\\d+-|\\.smtp$", "");
      if (PROTECTIONS.contains(topic)) {
        protecting.add(topic);
        scenarios.add(file);
      }
    }
    assertEquals(new TreeSet<>(PROTECTIONS), protecting, "protections with a transcript");
    List<Path> lacking = new ArrayList<>();
    for (Path file : scenarios) {
      if (!Transcript.isComplete(file)) {
        lacking.add(file.getFileName());
      }
    }
    assertEquals(List.of(), lacking, "without a case (-) or a control (+)");
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

  /** And of its cases and controls: each is one only when it shows what it says. */
  @Test
  void aCaseOrControlThatShowsNothingFails(@org.junit.jupiter.api.io.TempDir Path directory)
      throws Exception {
    String begin = "S: 220\nC: HELO a\nS: 250\nC: MAIL FROM:<s@example.com>\nS: 250\n";
    String taken = "C: RCPT TO:<anna@example.org>\nS: 250\n";
    String refused = "C: RCPT TO:<nobody@example.org>\nS: 550\n";
    Path file = directory.resolve("section.smtp");
    for (String wrong :
        List.of(
            "- refused?\n" + taken,
            "+ taken?\n" + refused,
            "+ nothing at all\n",
            "+ half of it\n" + taken + refused + "- ends it\n" + refused)) {
      Files.writeString(file, begin + wrong);
      assertThrows(AssertionError.class, () -> new Transcript(file).play(), wrong);
    }
    Files.writeString(file, begin + "- refused\n" + refused + "+ taken\n" + taken);
    assertTrue(Transcript.isComplete(file));
    new Transcript(file).play();
    Files.writeString(file, begin + "+ taken\n" + taken);
    assertFalse(Transcript.isComplete(file));
  }

  @Test
  void allTopicsAreThere() throws Exception {
    assertTrue(files().size() >= 57, "transcripts are missing: " + files());
  }
}
