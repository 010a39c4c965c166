package net.postern.source;

/** What a source is taken for. */
public enum Grade {
  /** Too little is known. */
  NEW,
  NEUTRAL,
  /** Has sent a good deal, nearly all of it wanted. */
  GOOD,
  /** Most of what it did was refused or spam. */
  BAD
}
