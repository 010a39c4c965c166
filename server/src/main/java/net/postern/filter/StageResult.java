package net.postern.filter;

import java.util.List;

/** What a stage comes back with. */
public sealed interface StageResult {
  /** The stage did its work; an empty list means that it saw nothing. */
  record Findings(List<Finding> findings) implements StageResult {
    public Findings {
      findings = List.copyOf(findings);
    }
  }

  /** The stage does not apply to this message. */
  record Skipped(String why) implements StageResult {}

  /** The stage could not work; never to be read as clean. */
  record Unavailable(String why) implements StageResult {}
}
