package net.postern.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code docs/module-map.txt} is true. */
class ModuleMapTest {
  private static final Path MAP = Path.of("../docs/module-map.txt");

  private static final JavaClasses CLASSES = ProductClasses.ALL;

  @Test
  void importsPointDownwardsAndOnlyWhereTheMapAllows() throws IOException {
    List<String> problems = ModuleMap.parse(Files.readAllLines(MAP)).problems(CLASSES);
    assertEquals(
        "", String.join("\n", problems), "see the head of docs/module-map.txt for what to do");
  }

  /** The control: the check sees an edge, a package and a cycle that the map does not allow. */
  @Test
  void whatTheMapDoesNotAllowIsFound() throws IOException {
    List<String> lines =
        Files.readAllLines(MAP).stream()
            .filter(line -> !line.startsWith("id ->"))
            .map(line -> line.startsWith("config ->") ? "config -> cli" : line)
            .toList();
    List<String> problems = ModuleMap.parse(lines).problems(CLASSES);
    assertTrue(problems.stream().anyMatch(p -> p.endsWith("cli has no line above config")));
    assertTrue(problems.stream().anyMatch(p -> p.startsWith("config -> address is not allowed")));
    assertTrue(problems.contains("id has no line; add: id -> ..."), problems.toString());
  }

  /** What is allowed but not used would let the next import in without a decision. */
  @Test
  void theMapAllowsNothingThatIsNotUsed() throws IOException {
    List<String> lines = Files.readAllLines(MAP);
    assertEquals("", String.join("\n", ModuleMap.parse(lines).unused(CLASSES)));
    // The control: an edge and a room too many are found.
    List<String> wider = new ArrayList<>(lines);
    wider.replaceAll(line -> line.startsWith("dns ->") ? "dns -> mime" : line);
    wider.add("nowhere -> id");
    assertEquals(
        List.of("dns -> mime is not used", "nowhere has no classes"),
        ModuleMap.parse(wider).unused(CLASSES));
  }
}
