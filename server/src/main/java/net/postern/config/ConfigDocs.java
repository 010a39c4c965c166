package net.postern.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes what the records say for people: {@code config.md} with a table for each section, and
 * {@code postern.sample.toml}, a file to start from. Both are in the repository; a test compares.
 */
public final class ConfigDocs {
  /** Name of the page in the documentation's directory. */
  public static final String PAGE = "config.md";

  /** Name of the sample in the documentation's directory. */
  public static final String SAMPLE = "postern.sample.toml";

  private static final int COMMENT_WIDTH = 96;

  private ConfigDocs() {}

  /**
   * Writes both files.
   *
   * @throws UncheckedIOException when the directory cannot be written
   */
  public static void write(Path directory) {
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve(PAGE), page());
      Files.writeString(directory.resolve(SAMPLE), sample());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write into " + directory, e);
    }
  }

  /** The page, in Markdown. */
  public static String page() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # Configuration

        A node reads one file in [TOML](https://toml.io): `./postern start --config FILE`. It is checked before anything
        starts: an unknown key, a value of the wrong kind or out of bounds, two values that cannot go together are told with
        their line and what to write instead. `./postern config check FILE` does only that. [%s](%s) is a file to start from.

        A *duration* is a number with a unit (`"500ms"`, `"10s"`, `"5m"`, `"2h"`, `"5d"`), a *size* one with `KiB`, `MiB`, `GiB`
        (powers of 1,024) or `kB`, `MB`, `GB` (powers of 1,000). A *network* is an address or CIDR notation. A relative *path*
        starts from the directory of the configuration file. Sizes and durations are written in quotes.

        This page is generated from the code by `./postern config docs`; a test fails when it is out of date.
        """
            .formatted(SAMPLE, SAMPLE));
    for (ConfigSchema.Section section : ConfigLoader.schema().sections()) {
      section(out, "##", section, "");
      for (ConfigSchema.Section table : section.tables()) {
        section(out, "###", table, " May come any number of times.");
      }
    }
    return out.toString();
  }

  private static void section(
      StringBuilder out, String heading, ConfigSchema.Section section, String more) {
    out.append('\n').append(heading).append(' ').append(section.header()).append("\n\n");
    out.append(section.doc()).append(more);
    out.append("\n\n| key | kind | default | explanation |\n|---|---|---|---|\n");
    for (ConfigSchema.Key key : section.keys()) {
      out.append("| `").append(key.name()).append("` | ").append(kind(key)).append(" | ");
      out.append(standard(key)).append(" | ").append(key.doc().replace("|", "\\|"));
      out.append(" |\n");
    }
  }

  /** A file with every key: those that have to be set, and the others as comments. */
  public static String sample() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # A configuration to start from. What is commented out is the default.
        # Check it: ./postern config check FILE. Kinds and bounds: config.md.
        """);
    for (ConfigSchema.Section section : ConfigLoader.schema().sections()) {
      out.append('\n');
      comment(out, section.doc());
      out.append('[').append(section.name()).append("]\n");
      for (ConfigSchema.Key key : section.keys()) {
        out.append('\n');
        comment(out, key.doc());
        String value = key.writtenDefault().orElseGet(() -> key.written(key.example()));
        out.append(key.defaultText().isPresent() ? "#" : "");
        out.append(key.name()).append(" = ").append(value).append('\n');
      }
      for (ConfigSchema.Section table : section.tables()) {
        out.append('\n');
        comment(out, table.doc() + " May come any number of times.");
        out.append('#').append(table.header()).append('\n');
        for (ConfigSchema.Key key : table.keys()) {
          String value = key.writtenDefault().orElseGet(() -> key.written(key.example()));
          out.append("#  ").append(key.name()).append(" = ").append(value).append('\n');
        }
      }
    }
    return out.toString();
  }

  private static String kind(ConfigSchema.Key key) {
    String name =
        switch (key.shape()) {
          case SINGLE -> key.kind().name();
          case OPTIONAL -> key.kind().name() + " or nothing";
          case LIST -> "list of " + key.kind().name();
        };
    return key.range()
        .map(range -> name + ", " + range.minText() + " to " + range.maxText())
        .orElse(name);
  }

  private static String standard(ConfigSchema.Key key) {
    if (key.defaultText().isEmpty()) {
      return "**required**";
    }
    boolean nothing =
        key.defaultText().get().isEmpty() && key.shape() == ConfigSchema.Shape.OPTIONAL;
    return nothing ? "nothing" : "`" + key.writtenDefault().orElse("") + "`";
  }

  private static void comment(StringBuilder out, String text) {
    for (String line : wrap(text)) {
      out.append("# ").append(line).append('\n');
    }
  }

  private static List<String> wrap(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > COMMENT_WIDTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
