package net.postern.source;

import net.postern.config.LimitsConfig;

/**
 * How much a source may do in a minute.
 *
 * @param connects new connections
 * @param messages transactions begun
 * @param recipients recipients asked for
 */
public record Allowance(int connects, int messages, int recipients) {

  /** What a source of this grade may do: the configured limits, or so much percent of them. */
  public static Allowance of(Grade grade, LimitsConfig config) {
    int percent = percent(grade, config);
    return new Allowance(
        share(config.connectsPerMinute(), percent),
        share(config.messagesPerMinute(), percent),
        share(config.recipientsPerMinute(), percent));
  }

  static int percent(Grade grade, LimitsConfig config) {
    return switch (grade) {
      case NEW -> config.newPercent();
      case NEUTRAL -> 100;
      case GOOD -> config.goodPercent();
      case BAD -> config.badPercent();
    };
  }

  /** So much percent, at least one. */
  static int share(int limit, int percent) {
    return Math.clamp((long) limit * percent / 100, 1, Integer.MAX_VALUE);
  }
}
