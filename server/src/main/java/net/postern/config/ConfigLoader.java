package net.postern.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/**
 * Reads a configuration file (TOML 1.0) into {@link PosternConfig}.
 *
 * <p>Everything that is wrong is found in one go; each problem has its line and says what to write.
 * After a syntax error the rest of the file means nothing, so then only syntax errors are told.
 */
public final class ConfigLoader {
  /** A configuration of more bytes is some other file. */
  public static final int MAX_BYTES = 1 << 20;

  private static final int MAX_SHOWN = 400;

  private static final ConfigSchema SCHEMA = ConfigSchema.of(PosternConfig.class);
  private static final Pattern DUPLICATE = Pattern.compile("(.+) previously defined at (.+)");

  private static final Pattern NUMBERED = Pattern.compile("([a-z0-9_]+)\\[([0-9]{1,4})]");

  private final String file;
  private final Path base;
  private final List<ConfigProblem> problems = new ArrayList<>();
  private TomlParseResult toml;

  private ConfigLoader(String file, Path base, String text) {
    this.file = file;
    this.base = base.toAbsolutePath();
    this.toml = Toml.parse(text);
  }

  /**
   * Reads a file. Relative paths in it start from its directory.
   *
   * @throws ConfigException when the file cannot be read or anything in it is wrong
   */
  public static PosternConfig load(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    return new ConfigLoader(
            path.toString(), parent == null ? path.toAbsolutePath() : parent, read(path))
        .load();
  }

  /**
   * Reads a text, as tests and the demonstration do.
   *
   * @param base where relative paths start
   * @throws ConfigException when anything in it is wrong
   */
  public static PosternConfig fromText(String toml, Path base) {
    return fromText(toml, "postern.toml", base);
  }

  /** As {@link #fromText(String, Path)}, with the name that messages have for the text. */
  public static PosternConfig fromText(String toml, String name, Path base) {
    return new ConfigLoader(name, base, toml).load();
  }

  static ConfigSchema schema() {
    return SCHEMA;
  }

  private PosternConfig load() {
    if (syntaxErrors()) {
      throw failure();
    }
    unknownNames();
    List<Object> sections = new ArrayList<>();
    for (ConfigSchema.Section section : SCHEMA.sections()) {
      section(section).ifPresent(sections::add);
    }
    if (!problems.isEmpty()) {
      throw failure();
    }
    PosternConfig config = ConfigSchema.create(PosternConfig.class, sections);
    ConfigCheck.check(config, this::problem);
    if (!problems.isEmpty()) {
      throw failure();
    }
    return config;
  }

  private ConfigException failure() {
    problems.sort(Comparator.comparingInt(ConfigProblem::line));
    return new ConfigException(file, problems);
  }

  /** Returns whether the text means anything beyond the errors. */
  private boolean syntaxErrors() {
    boolean fatal = false;
    for (TomlParseError error : toml.errors()) {
      String text = String.valueOf(error.getMessage());
      var duplicate = DUPLICATE.matcher(text);
      TomlPosition at = error.position();
      if (duplicate.matches()) {
        problems.add(
            new ConfigProblem(
                at.line(),
                at.column(),
                printable(duplicate.group(1)),
                "is set twice, first at " + duplicate.group(2) + "; keep one of them"));
      } else {
        fatal = true;
        problems.add(
            new ConfigProblem(
                at.line(),
                at.column(),
                "",
                "not valid TOML: "
                    + printable(text)
                    // What the parser expects where a value begins; quotes are what people forget.
                    + (text.contains("a date/time") ? "; text is written in quotes" : "")));
      }
    }
    return fatal;
  }

  private void unknownNames() {
    for (String name : toml.keySet()) {
      Optional<ConfigSchema.Section> section = SCHEMA.section(name);
      if (!(value(toml, name).orElseThrow() instanceof TomlTable table)) {
        problem(
            List.of(name),
            section.isPresent()
                ? "is a section; write [" + name + "] on a line of its own"
                : "is outside a section" + elsewhere(name, "; write it below [%s]"));
      } else if (section.isEmpty()) {
        problem(List.of(name), "no such section" + nearestSection(name));
      } else {
        unknownKeys(section.get(), table);
      }
    }
  }

  private void unknownKeys(ConfigSchema.Section section, TomlTable table) {
    for (String key : table.keySet()) {
      Optional<ConfigSchema.Section> below = section.table(key);
      if (below.isPresent()) {
        tables(value(table, key)).forEach(one -> unknownKeys(below.get(), one.table()));
      } else if (section.key(key).isEmpty()) {
        problem(
            Optional.ofNullable(table.inputPositionOf(List.of(key))),
            section.name() + "." + printable(key),
            "no such key" + nearestKey(section, key));
      }
    }
  }

  /** One of a list of sections, and where it begins. */
  private record Table(TomlTable table, Optional<TomlPosition> at) {}

  // What is no list of tables is told elsewhere.
  private static List<Table> tables(Optional<Object> written) {
    List<Table> tables = new ArrayList<>();
    if (written.isPresent() && written.get() instanceof TomlArray array) {
      for (int i = 0; i < array.size(); i++) {
        if (array.get(i) instanceof TomlTable table) {
          tables.add(new Table(table, Optional.of(array.inputPositionOf(i))));
        }
      }
    }
    return tables;
  }

  private static String nearestSection(String name) {
    List<String> known = SCHEMA.sections().stream().map(ConfigSchema.Section::name).toList();
    return Suggestion.nearest(name, known)
        .map(near -> "; did you mean [" + near + "]?")
        .orElse("; there are " + String.join(", ", known));
  }

  private static String nearestKey(ConfigSchema.Section section, String key) {
    List<String> known = section.keys().stream().map(ConfigSchema.Key::name).toList();
    return Suggestion.nearest(key, known)
        .map(near -> "; did you mean " + section.name() + "." + near + "?")
        .orElseGet(() -> elsewhere(key, "; it belongs below [%s]"));
  }

  private static String elsewhere(String key, String form) {
    for (ConfigSchema.Section section : SCHEMA.sections()) {
      if (section.key(key).isPresent()) {
        return form.formatted(section.name());
      }
    }
    return form.startsWith("; write")
        ? "; there is no such key in any section"
        : "; docs/config.md lists all keys";
  }

  private Optional<Object> section(ConfigSchema.Section section) {
    Optional<TomlTable> table =
        value(toml, section.name())
            .flatMap(
                found -> found instanceof TomlTable given ? Optional.of(given) : Optional.empty());
    return section(section, table, place(section.name()));
  }

  private Optional<Object> section(
      ConfigSchema.Section section, Optional<TomlTable> table, Optional<TomlPosition> at) {
    List<Object> values = new ArrayList<>();
    for (ConfigSchema.Key key : section.keys()) {
      Optional<TomlPosition> place =
          table.flatMap(given -> Optional.ofNullable(given.inputPositionOf(List.of(key.name()))));
      key(key, table.flatMap(given -> value(given, key.name())), place.or(() -> at))
          .ifPresent(values::add);
    }
    for (ConfigSchema.Section below : section.tables()) {
      String name = below.name().substring(section.name().length() + 1);
      sections(below, table.flatMap(given -> value(given, name))).ifPresent(values::add);
    }
    if (values.size() < section.keys().size() + section.tables().size()) {
      return Optional.empty();
    }
    try {
      return Optional.of(ConfigSchema.create(section.type(), values));
    } catch (IllegalArgumentException e) {
      problem(at, section.name(), String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private Optional<Object> sections(ConfigSchema.Section section, Optional<Object> written) {
    List<Table> tables = tables(written);
    if (written.isPresent()
        && !(written.get() instanceof TomlArray array && array.size() == tables.size())) {
      problem(
          section.name(),
          "is a list of sections; write " + section.header() + " on a line before each");
      return Optional.empty();
    }
    List<Object> values = new ArrayList<>();
    for (Table one : tables) {
      section(section, Optional.of(one.table()), one.at()).ifPresent(values::add);
    }
    return values.size() < tables.size() ? Optional.empty() : Optional.of(List.copyOf(values));
  }

  private static Optional<Object> value(TomlTable table, String name) {
    return Optional.ofNullable(table.get(List.of(name)));
  }

  /** Empty when a problem was noted. */
  private Optional<Object> key(
      ConfigSchema.Key key, Optional<Object> written, Optional<TomlPosition> at) {
    if (written.isEmpty()) {
      if (key.defaultText().isPresent()) {
        return Optional.of(key.defaultValue(key.defaultText().get(), base));
      }
      problem(
          at,
          key.fullName(),
          "is missing; write "
              + key.name()
              + " = "
              + key.written(key.example())
              + " below "
              + key.header());
      return Optional.empty();
    }
    Object value = written.get();
    return switch (key.shape()) {
      case SINGLE -> single(key, value, at);
      case OPTIONAL ->
          value instanceof String text && text.isEmpty()
              ? Optional.of(Optional.empty())
              : single(key, value, at).map(Optional::of);
      case LIST -> list(key, value, at);
    };
  }

  private Optional<Object> list(ConfigSchema.Key key, Object value, Optional<TomlPosition> at) {
    if (!(value instanceof TomlArray array)) {
      problem(
          at,
          key.fullName(),
          "has to be a list; write it in square brackets, with commas between: "
              + key.name()
              + " = ["
              + (value instanceof String text ? key.kind().write(text) : shown(value))
              + "]");
      return Optional.empty();
    }
    List<Object> elements = new ArrayList<>(array.size());
    for (int i = 0; i < array.size(); i++) {
      single(key, array.get(i), Optional.of(array.inputPositionOf(i))).ifPresent(elements::add);
    }
    return elements.size() < array.size() ? Optional.empty() : Optional.of(List.copyOf(elements));
  }

  private Optional<Object> single(ConfigSchema.Key key, Object value, Optional<TomlPosition> at) {
    Optional<Object> read = key.kind().reader().apply(value, base);
    if (read.isEmpty() && value instanceof Long number && key.range().isPresent()) {
      Optional<String> outside = outside(key, number);
      if (outside.isPresent()) {
        problem(at, key.fullName(), number + outside.get());
        return read;
      }
    }
    if (read.isEmpty()) {
      problem(
          at,
          key.fullName(),
          shown(value) + " is not " + key.kind().called() + "; write " + key.kind().howTo());
      return read;
    }
    Optional<String> outside =
        key.kind().size().flatMap(size -> outside(key, size.applyAsLong(read.get())));
    if (outside.isPresent()) {
      problem(at, key.fullName(), shown(value) + outside.get());
      return Optional.empty();
    }
    return read;
  }

  private static Optional<String> outside(ConfigSchema.Key key, long size) {
    if (key.range().isEmpty()) {
      return size < 0 ? Optional.of(" is negative; write 0 or more") : Optional.empty();
    }
    ConfigSchema.Range range = key.range().get();
    if (size < range.min()) {
      return Optional.of(
          " is too small; write %s to %s"
              .formatted(key.kind().write(range.minText()), key.kind().write(range.maxText())));
    }
    return size > range.max()
        ? Optional.of(
            " is too large; write %s to %s"
                .formatted(key.kind().write(range.minText()), key.kind().write(range.maxText())))
        : Optional.empty();
  }

  private static String shown(Object value) {
    return switch (value) {
      case String text -> "\"" + printable(text) + "\"";
      case TomlArray array -> "a list of " + array.size();
      case TomlTable table -> "a table of " + table.size();
      default -> String.valueOf(value);
    };
  }

  private void problem(String key, String message) {
    problem(List.of(key.split("\\.", -1)), message);
  }

  private void problem(List<String> path, String message) {
    problem(
        tablePlace(path).or(() -> place(path.toArray(String[]::new))),
        printable(String.join(".", path)),
        message);
  }

  private void problem(Optional<TomlPosition> at, String key, String message) {
    problems.add(
        new ConfigProblem(
            at.map(TomlPosition::line).orElse(0),
            at.map(TomlPosition::column).orElse(0),
            key,
            printable(message)));
  }

  // Of "vault.s3[2].bucket": that key in the second [[vault.s3]], else where that begins.
  private Optional<TomlPosition> tablePlace(List<String> path) {
    Matcher numbered = NUMBERED.matcher(path.size() < 2 ? "" : path.get(1));
    if (!numbered.matches()
        || !(toml.get(List.of(path.getFirst(), numbered.group(1))) instanceof TomlArray array)) {
      return Optional.empty();
    }
    int index = Integer.parseInt(numbered.group(2)) - 1;
    Optional<TomlPosition> key =
        path.size() > 2 && array.get(index) instanceof TomlTable table
            ? Optional.ofNullable(table.inputPositionOf(List.of(path.get(2))))
            : Optional.empty();
    return key.or(() -> Optional.of(array.inputPositionOf(index)));
  }

  /** Where a key is set, else where its section begins, else nowhere. */
  private Optional<TomlPosition> place(String... path) {
    for (int length = path.length; length > 0; length--) {
      List<String> prefix = List.of(path).subList(0, length);
      if (toml.contains(prefix)) {
        return Optional.ofNullable(toml.inputPositionOf(prefix));
      }
    }
    return Optional.empty();
  }

  // A file's text goes to terminals and logs: nothing in it may steer them, and no value is
  // repeated without end.
  private static String printable(String text) {
    String cut = text.length() > MAX_SHOWN ? text.substring(0, MAX_SHOWN) + "..." : text;
    StringBuilder out = new StringBuilder(cut.length());
    cut.codePoints()
        .forEach(c -> out.appendCodePoint(Character.isISOControl(c) || c == 0x2028 ? '?' : c));
    return out.toString();
  }

  private static String read(Path path) {
    try (InputStream in = Files.newInputStream(path)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw unreadable(path, "is larger than " + MAX_BYTES + " bytes; is it a configuration?");
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (NoSuchFileException e) {
      throw unreadable(path, "no such file; docs/postern.sample.toml is one to start from");
    } catch (AccessDeniedException e) {
      throw unreadable(
          path, "may not be read by this user (" + System.getProperty("user.name") + ")");
    } catch (CharacterCodingException e) {
      throw unreadable(path, "is not UTF-8; save it in that encoding");
    } catch (IOException e) {
      throw unreadable(
          path,
          Files.isDirectory(path)
              ? "is a directory; name the file in it"
              : "cannot be read: " + e.getMessage());
    }
  }

  private static ConfigException unreadable(Path path, String message) {
    return new ConfigException(path.toString(), List.of(new ConfigProblem(0, 0, "", message)));
  }
}
