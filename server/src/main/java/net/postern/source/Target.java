package net.postern.source;

/**
 * A domain of ours that sources write to.
 *
 * @param domain in lower case, A-labels
 */
record Target(String domain) implements Subject {
  /** No source's text begins so. */
  static final String MARK = "@";

  @Override
  public String text() {
    return MARK + domain;
  }
}
