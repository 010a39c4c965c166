package net.postern.config;

import java.util.List;
import java.util.stream.Collectors;

/** A configuration that cannot be used. Holds everything that is wrong with it, in file order. */
public final class ConfigException extends RuntimeException {
  private final String file;
  private final transient List<ConfigProblem> problems;

  public ConfigException(String file, List<ConfigProblem> problems) {
    super(
        problems.stream()
            .map(problem -> problem.describe(file))
            .collect(Collectors.joining(System.lineSeparator())));
    this.file = file;
    this.problems = List.copyOf(problems);
  }

  /** What the file was called when it was read. */
  public String file() {
    return file;
  }

  /** At least one. */
  public List<ConfigProblem> problems() {
    return problems;
  }
}
