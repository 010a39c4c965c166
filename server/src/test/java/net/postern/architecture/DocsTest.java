package net.postern.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents promise is there. */
class DocsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern CLASS_LINK =
      Pattern.compile(
          "@(?:link|linkplain)\\s+(?:\\*\\s+)?(net\\.postern(?:\\.[a-z0-9]+)+\\.[A-Z]\\w*)");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)");
  private static final List<String> COMMANDS =
      List.of("demo", "test", "start", "config check", "scan", "admin", "vault", "bench");

  @Test
  void theReadmeNamesEveryCommand() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    for (String command : COMMANDS) {
      assertTrue(readme.contains("./postern " + command), "README.md lacks ./postern " + command);
    }
  }

  @Test
  void linksBetweenDocumentsLeadSomewhere() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : pages()) {
      Matcher link = LINK.matcher(Files.readString(page));
      while (link.find()) {
        Path target = page.resolveSibling(link.group(1));
        if (!Files.exists(target)) {
          broken.add(page + " -> " + link.group(1));
        }
      }
    }
    assertEquals("", String.join("\n", broken));
  }

  @Test
  void everyDecisionIsListedAndHasItsParts() throws IOException {
    Path directory = ROOT.resolve("docs/adr");
    String list = Files.readString(directory.resolve("README.md"));
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(DocsTest::isDecision).toList()) {
        String name = String.valueOf(file.getFileName());
        assertTrue(list.contains("(" + name + ")"), name + " is not listed in docs/adr/README.md");
        String text = Files.readString(file);
        for (String part : List.of("Status: ", "## Context", "## Decision", "## Consequences")) {
          assertTrue(text.contains("\n" + part), name + " has no " + part);
        }
      }
    }
  }

  /** Comments that send a reader to a class send it to one that is there. */
  @Test
  void classesThatCommentsNameAreThere() throws IOException {
    List<String> missing = new ArrayList<>();
    for (String module : List.of("protocol", "server", "testkit")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/main/java"))) {
        for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
          Matcher link = CLASS_LINK.matcher(Files.readString(file));
          while (link.find()) {
            if (!isThere(link.group(1))) {
              missing.add(file.getFileName() + " names " + link.group(1));
            }
          }
        }
      }
    }
    assertEquals("", String.join("\n", missing));
    assertFalse(isThere("net.postern.vault.NoSuchVault"), "the check finds whatever it is asked");
  }

  private static boolean isThere(String name) {
    String path = "src/main/java/" + name.replace('.', '/') + ".java";
    return Stream.of("protocol", "server", "testkit")
        .anyMatch(module -> Files.exists(ROOT.resolve(module).resolve(path)));
  }

  private static boolean isDecision(Path file) {
    return String.valueOf(file.getFileName()).matches("\\d{4}-.*\\.md");
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
        Stream<Path> top = Files.list(ROOT)) {
      Stream.concat(docs, top).filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
    }
    return pages;
  }
}
