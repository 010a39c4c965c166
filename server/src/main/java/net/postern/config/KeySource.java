package net.postern.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Where a key comes from. */
public sealed interface KeySource {
  /** What an environment variable is called (POSIX). */
  Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** A file with 64 hexadecimal digits. */
  record File(Path path) implements KeySource {}

  /** An environment variable of the process. */
  record Environment(String name) implements KeySource {}

  /**
   * A program that prints the key, as one that asks a key management service.
   *
   * @param words program and arguments; no shell takes part
   */
  record Command(List<String> words) implements KeySource {
    public Command {
      words = List.copyOf(words);
    }
  }

  /**
   * Reads {@code PATH}, {@code env:NAME} or {@code command:PROGRAM ARGUMENT ...}.
   *
   * @param base where a relative path starts
   * @return empty when the text is none of them
   */
  static Optional<KeySource> parse(String text, Path base) {
    if (text.isBlank()) {
      return Optional.empty();
    }
    if (text.startsWith("env:")) {
      String name = text.substring(4).strip();
      return VARIABLE.matcher(name).matches()
          ? Optional.of(new Environment(name))
          : Optional.empty();
    }
    if (text.startsWith("command:")) {
      String command = text.substring(8).strip();
      return command.isEmpty()
          ? Optional.empty()
          : Optional.of(new Command(List.of(command.split("\\s+"))));
    }
    try {
      return Optional.of(new File(base.resolve(text).normalize()));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
