package net.postern.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/rfc/index.tsv} lists exactly the RFCs that the sources cite, with the cited sections.
 * Where: the packages that matter most for it, each of which has to cite it.
 */
class RfcIndexTest {
  private static final Path ROOT = Path.of("..");
  private static final Path INDEX = ROOT.resolve("docs/rfc/index.tsv");

  @Test
  void theIndexListsWhatTheSourcesCite() throws IOException {
    Map<Integer, String[]> index = index();
    RfcCitations citations = RfcCitations.below(ROOT);
    Map<Integer, Set<String>> cited = citations.places();
    List<String> lines = new ArrayList<>();
    List<String> gone = new ArrayList<>();
    cited.forEach(
        (rfc, places) -> {
          String where = String.join(", ", places);
          String[] row = index.get(rfc);
          String sections = citations.sections(rfc);
          if (row == null) {
            lines.add(rfc + "\tTITLE\t" + sections + "\t" + where + "\tHOW FAR");
          } else if (!places.containsAll(List.of(row[3].split(", ", -1)))) {
            lines.add(rfc + "\t" + row[1] + "\t" + sections + "\t" + where + "\t" + row[4]);
          } else if (!sections.equals(row[2])) {
            lines.add(rfc + "\t" + row[1] + "\t" + sections + "\t" + row[3] + "\t" + row[4]);
          }
        });
    index.keySet().stream()
        .filter(rfc -> !cited.containsKey(rfc))
        .forEach(rfc -> gone.add("RFC " + rfc));
    assertTrue(
        lines.isEmpty(),
        () ->
            "docs/rfc/index.tsv needs these lines (new, or instead of the ones with that number;"
                + " fill in title and how far):\n"
                + String.join("\n", lines)
                + "\n");
    assertTrue(gone.isEmpty(), () -> "docs/rfc/index.tsv lists what nothing cites: " + gone);
  }

  @Test
  void citationsHaveTheOneForm() throws IOException {
    assertEquals(
        "",
        String.join("\n", RfcCitations.below(ROOT).oddities()),
        "write RFC nnnn, or RFC nnnn §n.n for a section");
  }

  /** The control: other forms are seen, the right ones pass, broken lines are joined. */
  @Test
  void oddFormsAreSeen() {
    RfcCitations good = new RfcCitations();
    good.searchText(
        "server/src/main/java/net/postern/edge/check/A.java",
        "// RFC 5321 §4.5.3.1.3, and RFC\n  // 1870; RFC 3464\n * §2.1 (RFC 2045: parts)\n"
            + " reply(\"see RFC 5321 section 2.3.8\");");
    assertEquals("[]", good.oddities().toString());
    assertEquals(Set.of(5321, 1870, 3464, 2045), good.places().keySet());
    assertEquals(Set.of("edge.check"), good.places().get(1870));
    assertEquals("4.5.3.1.3", good.sections(5321));
    assertEquals("2.1", good.sections(3464));
    assertEquals("-", good.sections(1870));
    good.searchText("x.java", "RFC 5321 §4.1.3 and §4.4, RFC 5321 §10.2 RFC 5321 §4.1.10.");
    assertEquals("4.1.3, 4.1.10, 4.4, 4.5.3.1.3, 10.2", good.sections(5321));
    for (String odd :
        List.of(
            "RFC5321",
            "RFC-5321",
            "rfc 5321",
            "RFC 5321 section 4",
            "RFC 5321, Section 4.1",
            "RFC 5321 § 4.1",
            "RFC 5321 4.5.3")) {
      RfcCitations bad = new RfcCitations();
      bad.searchText("x.java", "as " + odd + " says");
      assertEquals(1, bad.oddities().size(), odd);
    }
  }

  private static Map<Integer, String[]> index() throws IOException {
    Map<Integer, String[]> rows = new TreeMap<>();
    int last = 0;
    for (String line : Files.readAllLines(INDEX)) {
      if (line.startsWith("#") || line.startsWith("rfc\t")) {
        continue;
      }
      String[] row = line.split("\t", -1);
      assertEquals(
          5, row.length, "rfc, title, sections, where, how far, with tabs between: " + line);
      for (String cell : row) {
        assertTrue(
            !cell.isBlank() && !cell.equals("TITLE") && !cell.equals("HOW FAR"),
            "an empty cell: " + line);
      }
      int rfc = Integer.parseInt(row[0]);
      assertTrue(rfc > last, "not in order of number, or twice: " + line);
      last = rfc;
      rows.put(rfc, row);
    }
    return rows;
  }
}
