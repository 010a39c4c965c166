package net.postern.edge.check;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes {@code checks.md} from what the checks say of themselves; a test compares. */
public final class ChecksDocs {
  /** Name of the page in the documentation's directory. */
  public static final String PAGE = "checks.md";

  private ChecksDocs() {}

  /**
   * Writes the page.
   *
   * @throws UncheckedIOException when the directory cannot be written
   */
  public static void write(Path directory) {
    try {
      Files.writeString(directory.resolve(PAGE), page());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write into " + directory, e);
    }
  }

  /** The page, in Markdown. */
  public static String page() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # Checks at the edge

        What is asked of a client while it is connected, in the order of `edge/check/Checks`: when several refuse, the first of
        its stage is the one whose reply the client reads. `[checks]` in the configuration switches checks on and off for all;
        where the table says so, customers and users choose for themselves with `./postern admin check set`. A safelist
        overrides those that may be chosen, for its owner. What checks tell the filter has scores in
        `filter/dialogue/DialogueStage`. Clients in private networks and customers' registered servers are spared what only
        makes sense for strangers.

        This page is generated from the code by `./postern config docs`; a test fails when it is out of date.

        ## Where other servers send

        | stage | check | by default | chosen by customers | what it does | reply |
        |---|---|---|---|---|---|
        """);
    rows(out, Choices.documented().all());
    out.append(
        """

        ## Where users send

        Who logged in is asked this instead; `[checks]` does not switch these.

        | stage | check | by default | chosen by customers | what it does | reply |
        |---|---|---|---|---|---|
        """);
    rows(out, Checks.ofSubmission(Choices.nobody()).all());
    return out.toString();
  }

  private static void rows(StringBuilder out, List<About> abouts) {
    Map<String, List<String>> choices = Choices.all();
    for (About about : abouts) {
      List<String> values = choices.getOrDefault(about.name(), List.of());
      out.append("| ").append(about.stage().name().toLowerCase(Locale.ROOT));
      out.append(" | `").append(about.name()).append("` | ").append(about.on() ? "on" : "off");
      out.append(" | ").append(values.isEmpty() ? "no" : String.join(", ", values));
      out.append(" | ").append(about.what().replace("|", "\\|"));
      out.append(" | ");
      out.append(about.reply().isEmpty() ? "none" : "`" + about.reply() + "`").append(" |\n");
    }
  }
}
