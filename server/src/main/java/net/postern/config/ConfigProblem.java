package net.postern.config;

/**
 * One thing that is wrong with a configuration.
 *
 * @param line counted from 1; 0 when the problem has no place, such as a section that is missing
 * @param column counted from 1; 0 when there is none
 * @param key the full key, such as {@code edge.max_message}; empty for a problem of the whole file
 * @param message what is wrong and what to write instead, one line
 */
public record ConfigProblem(int line, int column, String key, String message) {

  /** The form for people and editors: {@code postern.toml:12: edge.listen: message}. */
  public String describe(String file) {
    StringBuilder text = new StringBuilder(file);
    if (line > 0) {
      text.append(':').append(line);
    }
    text.append(": ");
    if (!key.isEmpty()) {
      text.append(key).append(": ");
    }
    return text.append(message).toString();
  }
}
