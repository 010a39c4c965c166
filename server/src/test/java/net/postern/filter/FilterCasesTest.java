package net.postern.filter;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every file of {@code filter/cases}: expectations above {@code =====}, the message below. */
class FilterCasesTest {
  private static final Pipeline PIPELINE = Pipeline.standard();
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

  /** One file. */
  private record Case(
      String name,
      Set<String> must,
      Set<String> mustNot,
      Optional<Verdict> verdict,
      Optional<InetAddress> client,
      List<Noted> dialogue,
      byte[] message) {}

  private static List<Case> cases() throws IOException, URISyntaxException {
    List<Case> cases = new ArrayList<>();
    try (Stream<Path> files =
        Files.list(Path.of(FilterCasesTest.class.getResource("/filter/cases").toURI()))) {
      for (Path file : files.sorted().toList()) {
        cases.add(read(file));
      }
    }
    return cases;
  }

  private static Case read(Path file) throws IOException {
    String all = Files.readString(file, ISO_8859_1);
    int split = all.indexOf("=====\n");
    Set<String> must = new TreeSet<>();
    Set<String> mustNot = new TreeSet<>();
    Optional<Verdict> verdict = Optional.empty();
    Optional<InetAddress> client = Optional.empty();
    List<Noted> dialogue = new ArrayList<>();
    for (String line : all.substring(0, split).split("\n")) {
      int colon = line.indexOf(": ");
      String value = line.substring(colon + 2).trim();
      switch (line.startsWith("#") ? "#" : line.substring(0, colon)) {
        case "must" -> must.addAll(List.of(value.split(" ")));
        case "must-not" -> mustNot.addAll(List.of(value.split(" ")));
        case "verdict" -> verdict = Optional.of(Verdict.valueOf(value));
        case "dialogue" -> List.of(value.split(" ")).forEach(n -> dialogue.add(new Noted(n, "")));
        case "client" -> client = Optional.of(InetAddress.ofLiteral(value));
        case "#" -> {}
        default -> throw new IllegalArgumentException(file + ": " + line);
      }
    }
    byte[] message = all.substring(split + 6).replace("\n", "\r\n").getBytes(ISO_8859_1);
    return new Case(
        file.getFileName().toString(), must, mustNot, verdict, client, dialogue, message);
  }

  @TestFactory
  Stream<DynamicTest> cases_hold() throws IOException, URISyntaxException {
    return cases().stream().map(c -> DynamicTest.dynamicTest(c.name, () -> check(c)));
  }

  private static void check(Case c) {
    Judgement judgement =
        PIPELINE.judge(
            new Sample(c.client, "", Optional.empty(), List.of(), c.message, NOW, c.dialogue));
    Set<String> found = new HashSet<>();
    judgement.findings().forEach(f -> found.add(f.name()));
    String seen = judgement.findings().toString();
    assertTrue(found.containsAll(c.must), () -> "expected " + c.must + ", seen " + seen);
    c.mustNot.forEach(name -> assertFalse(found.contains(name), () -> name + " in " + seen));
    Verdict verdict = Thresholds.DEFAULT.verdict(judgement.score());
    c.verdict.ifPresent(v -> assertEquals(v, verdict, seen));
  }

  @Test
  void every_test_has_a_case_and_a_control() throws IOException, URISyntaxException {
    Set<String> positive = new TreeSet<>();
    Set<String> control = new TreeSet<>();
    for (Case c : cases()) {
      positive.addAll(c.must);
      control.addAll(c.mustNot);
    }
    Set<String> names = new TreeSet<>();
    for (Rule rule : PIPELINE.rules()) {
      names.add(rule.name());
      assertTrue(rule.name().matches("[A-Z][A-Z0-9_]*"), rule.name());
      assertFalse(rule.description().isBlank(), rule.name());
      assertFalse(rule.description().endsWith("."), rule.name());
    }
    assertEquals(names, positive, "tests with a case file");
    control.retainAll(names);
    assertEquals(names, control, "tests with a control");
  }

  /** A check of the dialogue whose note is in no table: it weighs nothing, and is not hidden. */
  @Test
  void a_note_that_nobody_weighs_is_shown() {
    Judgement judgement =
        PIPELINE.judge(
            new Sample(
                Optional.empty(),
                "",
                Optional.empty(),
                List.of(),
                new byte[0],
                NOW,
                List.of(new Noted("NOBODY_WEIGHS_THIS", "a\nb"), new Noted("RDNS_NONE", ""))));
    assertEquals(new Finding("NOBODY_WEIGHS_THIS", 0, "a b"), judgement.findings().get(0));
    assertEquals(new Finding("RDNS_NONE", 1.5, ""), judgement.findings().get(1));
  }

  @Test
  void two_tests_of_one_name_are_refused() {
    Rule rule = new Rule("TWICE", 1, Rule.Group.BODY, "x", mail -> Rule.NO);
    List<Stage> stages =
        List.of(new RuleStage("a", List.of(rule)), new RuleStage("b", List.of(rule)));
    assertThrows(IllegalArgumentException.class, () -> Pipeline.of(stages));
  }

  @Test
  void a_stage_that_is_away_is_reported() {
    Stage away =
        new Stage() {
          @Override
          public String name() {
            return "scanner";
          }

          @Override
          public List<Rule> rules() {
            return List.of();
          }

          @Override
          public StageResult run(MailView mail) {
            return new StageResult.Unavailable("no answer in 3 s");
          }
        };
    Judgement judgement =
        Pipeline.of(List.of(away))
            .judge(new Sample(Optional.empty(), "", Optional.empty(), List.of(), new byte[0], NOW));
    assertEquals(
        List.of(new Judgement.Unavailable("scanner", "no answer in 3 s")), judgement.unavailable());
  }

  @Test
  void probability_rises_with_the_score() {
    assertEquals(0.5, Pipeline.probability(5), 1e-9);
    assertTrue(Pipeline.probability(0) < 0.02);
    assertTrue(Pipeline.probability(1000) <= 1.0);
    assertTrue(Pipeline.probability(6) > Pipeline.probability(5.9));
  }
}
