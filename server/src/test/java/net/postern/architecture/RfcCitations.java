package net.postern.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds the RFCs that code and test data cite. */
final class RfcCitations {
  // Data that may quote foreign text (messages, keys) is not searched.
  private static final Pattern SEARCHED = Pattern.compile(".*\\.(java|smtp|txt|toml|sql)");
  private static final Pattern CITATION =
      Pattern.compile("RFC (\\d{3,5})\\b((?:(?:,| and|, and| to)? §\\d[\\d.]*)*)");
  private static final Pattern SECTION = Pattern.compile("§(\\d+(?:\\.\\d+)*)");

  /** 2.10 comes after 2.9. */
  static final Comparator<String> BY_NUMBER =
      (one, other) ->
          Arrays.compare(
              Arrays.stream(one.split("\\.")).mapToInt(Integer::parseInt).toArray(),
              Arrays.stream(other.split("\\.")).mapToInt(Integer::parseInt).toArray());

  private static final Pattern PACKAGE =
      Pattern.compile("src/main/java/net/postern/(.+)/[^/]+\\.java$");

  /** Ways of writing a citation that a search for the right form would miss. */
  private static final Pattern ODD =
      Pattern.compile(
          "\\bRFC[-_]?\\d{3,5}\\b|\\b[Rr]fc \\d{3,5}\\b"
              + "|RFC \\d{3,5}(,|:)? ?(([Ss]ection|sect?\\.|[Cc]hapter) ?\\d|§ |§§|\\(§)"
              + "|RFC \\d{3,5} \\d+\\.\\d");

  private final Map<Integer, Set<String>> places = new TreeMap<>();
  private final Map<Integer, Set<String>> sections = new TreeMap<>();
  private final List<String> oddities = new ArrayList<>();

  /** Searches the {@code src} directory of every module below a root. */
  static RfcCitations below(Path root) throws IOException {
    RfcCitations found = new RfcCitations();
    try (Stream<Path> modules = Files.list(root)) {
      for (Path module : modules.sorted().toList()) {
        Path sources = module.resolve("src");
        if (Files.isDirectory(sources)) {
          found.search(root, sources);
        }
      }
    }
    return found;
  }

  /** Each cited RFC with the packages that cite it; {@code tests} for those that only tests do. */
  Map<Integer, Set<String>> places() {
    Map<Integer, Set<String>> shown = new TreeMap<>();
    places.forEach(
        (rfc, where) -> {
          Set<String> packages = new TreeSet<>(where);
          if (packages.size() > 1) {
            packages.remove("tests");
          }
          shown.put(rfc, packages);
        });
    return shown;
  }

  /**
   * The sections that are cited of an RFC, in order; {@code -} when it is cited as a whole only.
   */
  String sections(int rfc) {
    Set<String> cited = sections.getOrDefault(rfc, Set.of());
    return cited.isEmpty() ? "-" : String.join(", ", cited);
  }

  /** Citations in another form than {@code RFC nnnn} or {@code RFC nnnn §n.n}. */
  List<String> oddities() {
    return oddities;
  }

  private void search(Path root, Path sources) throws IOException {
    try (Stream<Path> files = Files.walk(sources)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        String name = root.relativize(file).toString().replace('\\', '/');
        if (SEARCHED.matcher(name).matches() && !name.contains("/architecture/")) {
          searchText(name, Files.readString(file));
        }
      }
    }
  }

  void searchText(String name, String text) {
    // A citation may be broken over two lines of a comment.
    String flat = text.replaceAll("(?<=RFC|RFC \\d{4})\\R\\s*(\\*|//|#)? ?", " ");
    Matcher where = PACKAGE.matcher(name);
    String place = where.find() ? where.group(1).replace('/', '.') : "tests";
    Matcher citation = CITATION.matcher(flat);
    while (citation.find()) {
      int rfc = Integer.parseInt(citation.group(1));
      places.computeIfAbsent(rfc, number -> new TreeSet<>()).add(place);
      Matcher section = SECTION.matcher(citation.group(2));
      while (section.find()) {
        sections.computeIfAbsent(rfc, number -> new TreeSet<>(BY_NUMBER)).add(section.group(1));
      }
    }
    Matcher odd = ODD.matcher(flat);
    while (odd.find()) {
      if (isSpoken(name, flat, odd.start(), odd.group())) {
        continue;
      }
      int end = Math.min(flat.length(), odd.end() + 20);
      oddities.add(name + ": " + flat.substring(odd.start(), end).lines().findFirst().orElse(""));
    }
  }

  // Replies to clients are ASCII (RFC 5321 §2.4), so text that is sent says "section".
  private static boolean isSpoken(String name, String text, int start, String match) {
    if (!match.contains(" section ")) {
      return false;
    }
    int line = text.lastIndexOf('\n', start) + 1;
    long quotes = text.substring(line, start).chars().filter(c -> c == '"').count();
    return !name.endsWith(".java") || quotes % 2 == 1;
  }
}
