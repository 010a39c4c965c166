package net.postern.tenant;

/** What came of a question that the database may not be able to answer now. */
public sealed interface Lookup<T> {

  /** The answer; it may be older by some minutes while the database is away. */
  record Known<T>(T value) implements Lookup<T> {}

  /** It cannot be said now: whoever asks is to come again. */
  record Unavailable<T>(String why) implements Lookup<T> {}

  static <T> Lookup<T> of(T value) {
    return new Known<>(value);
  }

  /** The answer, or this where none is to be had and nothing bad comes of a wrong one. */
  default T orElse(T other) {
    return switch (this) {
      case Known<T>(T value) -> value;
      case Unavailable<T> unavailable -> other;
    };
  }
}
