package net.postern.config;

import java.lang.reflect.Type;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import net.postern.address.EmailAddress;

/**
 * A kind of value: how it is written and how it is read.
 *
 * @param name what people call it, one or two words
 * @param howTo completes the sentence "write ..."
 * @param quoted whether the file has it in quotes
 * @param reader from what the TOML parser gives (String, Long, Boolean) and the directory that
 *     relative paths start from; empty when it is not of this kind
 * @param size for comparing with bounds; empty for kinds that have no order
 */
record ValueKind(
    String name,
    String howTo,
    boolean quoted,
    BiFunction<Object, Path, Optional<Object>> reader,
    Optional<ToLongFunction<Object>> size) {

  private static final Map<Type, ValueKind> KINDS =
      Map.ofEntries(
          Map.entry(
              String.class, text("text", "a text in quotes", (text, base) -> Optional.of(text))),
          Map.entry(
              boolean.class,
              new ValueKind(
                  "true or false",
                  "true or false, without quotes",
                  false,
                  (value, base) -> value instanceof Boolean ? Optional.of(value) : Optional.empty(),
                  Optional.empty())),
          Map.entry(
              int.class,
              new ValueKind(
                  "number",
                  "a whole number without quotes",
                  false,
                  (value, base) ->
                      value instanceof Long number && number.intValue() == number
                          ? Optional.of(number.intValue())
                          : Optional.empty(),
                  Optional.of(value -> (Integer) value))),
          Map.entry(
              Integer.class,
              new ValueKind(
                  "number",
                  "a whole number without quotes",
                  false,
                  (value, base) ->
                      value instanceof Long number && number.intValue() == number
                          ? Optional.of(number.intValue())
                          : Optional.empty(),
                  Optional.of(value -> (Integer) value))),
          Map.entry(
              URI.class,
              text(
                  "server's URL",
                  "scheme, host and port in quotes, such as \"https://s3.example.com\" or"
                      + " \"http://10.0.0.7:9000\"",
                  (text, base) -> server(text))),
          Map.entry(
              long.class,
              new ValueKind(
                  "number",
                  "a whole number without quotes",
                  false,
                  (value, base) -> value instanceof Long ? Optional.of(value) : Optional.empty(),
                  Optional.of(value -> (Long) value))),
          Map.entry(
              Duration.class,
              ordered(
                  "duration",
                  "a number with a unit (ms, s, m, h, d) in quotes, such as \"10s\" or \"5m\"",
                  (value, base) ->
                      value instanceof String text
                          ? Durations.parse(text).map(Object.class::cast)
                          : Optional.empty(),
                  value -> ((Duration) value).toMillis())),
          Map.entry(
              ByteSize.class,
              ordered(
                  "size",
                  "a number with a unit in quotes, such as \"64 KiB\" or \"50 MiB\"",
                  (value, base) ->
                      switch (value) {
                        case String text -> ByteSize.parse(text).map(Object.class::cast);
                        case Long bytes when bytes >= 0 -> Optional.of(new ByteSize(bytes));
                        default -> Optional.empty();
                      },
                  value -> ((ByteSize) value).bytes())),
          Map.entry(Path.class, text("path", "a path in quotes", ValueKind::path)),
          Map.entry(
              KeySource.class,
              text(
                  "key source",
                  "the path of a file in quotes, \"env:NAME\", or \"command:PROGRAM ARGUMENT ...\"",
                  (text, base) -> KeySource.parse(text, base).map(Object.class::cast))),
          Map.entry(
              HostPort.class,
              text(
                  "host:port",
                  "host and port in quotes, such as \"0.0.0.0:25\" or \"[::]:25\"",
                  (text, base) -> HostPort.parse(text).map(Object.class::cast))),
          Map.entry(
              EmailAddress.class,
              text(
                  "mail address",
                  "an address in quotes, such as \"anna@example.com\"",
                  (text, base) -> EmailAddress.parse(text).map(Object.class::cast))),
          Map.entry(
              Network.class,
              text(
                  "network",
                  "an address or a network in quotes, such as \"192.0.2.0/24\" or"
                      + " \"2001:db8::/32\"",
                  (text, base) -> Network.parse(text).map(Object.class::cast))));

  /**
   * The kind for a component's type.
   *
   * @throws IllegalArgumentException when no such kind is known
   */
  static ValueKind of(Type type) {
    if (type instanceof Class<?> enumType && enumType.isEnum()) {
      return oneOf(enumType);
    }
    ValueKind kind = KINDS.get(type);
    if (kind == null) {
      throw new IllegalArgumentException("no kind of configuration value for " + type);
    }
    return kind;
  }

  /** Completes the sentence "this is not ...". */
  String called() {
    return name.contains(" or ") || name.equals("text") ? name : "a " + name;
  }

  /** Reads the form that {@link Default} and {@link Bounds} use: as in the file, without quotes. */
  Optional<Object> readText(String text, Path base) {
    if (quoted) {
      return reader.apply(text, base);
    }
    if (text.equals("true") || text.equals("false")) {
      return reader.apply(Boolean.valueOf(text), base);
    }
    try {
      return reader.apply(Long.valueOf(text), base);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** The value as the file has it. */
  String write(String text) {
    return quoted ? "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"" : text;
  }

  private static ValueKind text(
      String name, String howTo, BiFunction<String, Path, Optional<Object>> reader) {
    return new ValueKind(
        name,
        howTo,
        true,
        (value, base) -> value instanceof String text ? reader.apply(text, base) : Optional.empty(),
        Optional.empty());
  }

  private static ValueKind ordered(
      String name,
      String howTo,
      BiFunction<Object, Path, Optional<Object>> reader,
      ToLongFunction<Object> size) {
    return new ValueKind(name, howTo, true, reader, Optional.of(size));
  }

  private static Optional<Object> server(String text) {
    try {
      URI uri = new URI(text);
      boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      boolean bare =
          uri.getRawUserInfo() == null
              && uri.getRawQuery() == null
              && uri.getRawFragment() == null
              && (uri.getRawPath() == null || uri.getRawPath().matches("/?"));
      return http && bare && uri.getHost() != null && uri.getPort() <= 65_535
          ? Optional.of(
              URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text))
          : Optional.empty();
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  private static Optional<Object> path(String text, Path base) {
    if (text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(base.resolve(text).normalize());
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  private static ValueKind oneOf(Class<?> enumType) {
    Map<String, Object> names =
        Arrays.stream(enumType.getEnumConstants())
            .collect(
                Collectors.toMap(
                    constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT),
                    constant -> constant));
    String all =
        Arrays.stream(enumType.getEnumConstants())
            .map(constant -> "\"" + ((Enum<?>) constant).name().toLowerCase(Locale.ROOT) + "\"")
            .collect(Collectors.joining(" or "));
    return text(all.replace("\"", ""), all, (text, base) -> Optional.ofNullable(names.get(text)));
  }
}
