package net.postern.filter;

/** What a score comes to under given thresholds. The names are part of {@code scan}'s output. */
public enum Verdict {
  PASS,
  FLAG,
  QUARANTINE,
  REJECT
}
