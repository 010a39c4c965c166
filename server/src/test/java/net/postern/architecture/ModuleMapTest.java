package net.postern.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code docs/module-map.txt} is true. */
class ModuleMapTest {
  private static final Path MAP = Path.of("../docs/module-map.txt");

  private static final JavaClasses CLASSES = classes();

  private static JavaClasses classes() {
    // Names of packages are enough; reading the libraries' classes would take most of the time.
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    return new ClassFileImporter()
        .withImportOption(new ImportOption.DoNotIncludeTests())
        .importPackages("net.postern");
  }

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
}
