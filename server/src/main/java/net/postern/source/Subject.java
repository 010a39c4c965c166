package net.postern.source;

import java.util.Optional;

/** Whom something is counted of. */
sealed interface Subject permits Source, Target {

  /** One text for each subject, and one subject for each text: the key in the database. */
  String text();

  /** Reads what {@link #text} wrote; empty when it is none. */
  static Optional<Subject> parse(String text) {
    return text.startsWith(Target.MARK)
        ? Optional.of(new Target(text.substring(Target.MARK.length())))
        : Source.parse(text).map(Subject.class::cast);
  }
}
