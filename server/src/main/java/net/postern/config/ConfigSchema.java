package net.postern.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The sections and keys that a configuration file may have, read from records: a component of the
 * root record is a section, a component of a section's record is a key. Names become snake_case.
 */
record ConfigSchema(Class<? extends Record> root, List<Section> sections) {

  /** How many values a key takes. */
  enum Shape {
    SINGLE,
    OPTIONAL,
    LIST
  }

  /**
   * A section, or one of a list of them.
   *
   * @param keys in the order of the record's first components
   * @param tables sections below this one that may come any number of times, as the record's last
   *     components have them: lists of records
   */
  record Section(
      String name, String doc, Class<? extends Record> type, List<Key> keys, List<Section> tables) {

    Optional<Section> table(String wanted) {
      return tables.stream().filter(table -> table.name().equals(name + "." + wanted)).findFirst();
    }

    /** The line that the file has before the section's keys. */
    String header() {
      return ConfigSchema.header(name);
    }

    Optional<Key> key(String wanted) {
      return keys.stream().filter(key -> key.name().equals(wanted)).findFirst();
    }
  }

  record Key(
      String section,
      String name,
      String doc,
      Optional<String> defaultText,
      String example,
      Shape shape,
      ValueKind kind,
      Optional<Range> range) {

    String fullName() {
      return section + "." + name;
    }

    /** The line that the file has before it. */
    String header() {
      return ConfigSchema.header(section);
    }

    /** The default as the file would have it, for a key that has one. */
    Optional<String> writtenDefault() {
      return defaultText.map(text -> written(text));
    }

    String written(String text) {
      return switch (shape) {
        case SINGLE -> kind.write(text);
        case OPTIONAL -> text.isEmpty() ? "\"\"" : kind.write(text);
        case LIST ->
            elements(text).stream()
                .map(kind::write)
                .collect(java.util.stream.Collectors.joining(", ", "[", "]"));
      };
    }

    /**
     * The value when the file says nothing.
     *
     * @throws IllegalStateException when {@link Default} is not of the key's kind
     */
    Object defaultValue(String text, Path base) {
      return switch (shape) {
        case SINGLE -> one(text, base);
        case OPTIONAL -> text.isEmpty() ? Optional.empty() : Optional.of(one(text, base));
        case LIST -> elements(text).stream().map(element -> one(element, base)).toList();
      };
    }

    private Object one(String text, Path base) {
      return kind.readText(text, base)
          .orElseThrow(
              () -> new IllegalStateException("bad default for " + fullName() + ": " + text));
    }

    private static List<String> elements(String text) {
      return text.isBlank()
          ? List.of()
          : Arrays.stream(text.split(",", -1)).map(String::strip).toList();
    }
  }

  /** Bounds, inclusive, in the kind's own measure and as they are written. */
  record Range(long min, long max, String minText, String maxText) {}

  private static String header(String section) {
    return section.indexOf('.') < 0 ? "[" + section + "]" : "[[" + section + "]]";
  }

  Optional<Section> section(String wanted) {
    return sections.stream().filter(section -> section.name().equals(wanted)).findFirst();
  }

  /**
   * Reads the schema of a root record.
   *
   * @throws IllegalArgumentException when a component has no {@link Doc} or a type that no kind
   *     reads: a mistake in the code, found by the first test that loads anything
   */
  static ConfigSchema of(Class<? extends Record> root) {
    List<Section> sections = new ArrayList<>();
    for (RecordComponent component : root.getRecordComponents()) {
      sections.add(
          section(snakeCase(component.getName()), component.getType().asSubclass(Record.class)));
    }
    return new ConfigSchema(root, List.copyOf(sections));
  }

  private static Section section(String name, Class<? extends Record> type) {
    List<Key> keys = new ArrayList<>();
    List<Section> tables = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents()) {
      Optional<Class<? extends Record>> table = tableOf(component.getGenericType());
      if (table.isPresent()) {
        tables.add(section(name + "." + snakeCase(component.getName()), table.get()));
      } else if (tables.isEmpty()) {
        keys.add(key(name, component));
      } else {
        throw new IllegalArgumentException(
            name + "." + component.getName() + ": a key comes before lists of sections");
      }
    }
    return new Section(name, doc(type.getAnnotation(Doc.class), name), type, keys, tables);
  }

  // The record that a component has a list of.
  private static Optional<Class<? extends Record>> tableOf(Type type) {
    return type instanceof ParameterizedType generic
            && generic.getRawType() == List.class
            && generic.getActualTypeArguments()[0] instanceof Class<?> element
            && element.isRecord()
            && element.isAnnotationPresent(Doc.class)
        ? Optional.of(element.asSubclass(Record.class))
        : Optional.empty();
  }

  /**
   * Calls a record's canonical constructor.
   *
   * @throws IllegalArgumentException as the constructor does for values that do not fit together
   */
  static <T extends Record> T create(Class<T> type, List<Object> values) {
    Class<?>[] types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      return type.getDeclaredConstructor(types).newInstance(values.toArray());
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException refused) {
        throw refused;
      }
      throw new IllegalStateException("cannot construct " + type.getSimpleName(), e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot construct " + type.getSimpleName(), e);
    }
  }

  /** {@code maxMessage} becomes {@code max_message}. */
  static String snakeCase(String name) {
    StringBuilder out = new StringBuilder(name.length() + 4);
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (Character.isUpperCase(c) && i > 0 && name.charAt(i - 1) != '_') {
        out.append('_');
      }
      out.append(c);
    }
    return out.toString().toLowerCase(Locale.ROOT);
  }

  private static Key key(String section, RecordComponent component) {
    String name = snakeCase(component.getName());
    Shape shape = Shape.SINGLE;
    Type type = component.getGenericType();
    if (type instanceof ParameterizedType generic) {
      shape = generic.getRawType() == List.class ? Shape.LIST : Shape.OPTIONAL;
      type = generic.getActualTypeArguments()[0];
    }
    ValueKind kind = ValueKind.of(type);
    Default standard = component.getAnnotation(Default.class);
    Example example = component.getAnnotation(Example.class);
    Bounds bounds = component.getAnnotation(Bounds.class);
    return new Key(
        section,
        name,
        doc(component.getAnnotation(Doc.class), section + "." + name),
        Optional.ofNullable(standard).map(Default::value),
        example == null ? "" : example.value(),
        shape,
        kind,
        Optional.ofNullable(bounds).map(given -> range(given, kind, section + "." + name)));
  }

  private static Range range(Bounds bounds, ValueKind kind, String name) {
    return new Range(
        bound(bounds.min(), kind, name),
        bound(bounds.max(), kind, name),
        bounds.min(),
        bounds.max());
  }

  private static long bound(String text, ValueKind kind, String name) {
    return kind.readText(text, Path.of(""))
        .flatMap(value -> kind.size().map(size -> size.applyAsLong(value)))
        .orElseThrow(() -> new IllegalArgumentException("bad bounds for " + name + ": " + text));
  }

  private static String doc(@org.jspecify.annotations.Nullable Doc doc, String name) {
    if (doc == null || doc.value().isBlank()) {
      throw new IllegalArgumentException(name + " has no @Doc");
    }
    return doc.value();
  }
}
