package net.postern.keys;

/** What keys tell of a parcel: whether someone who has the key wrote it. */
public enum Authenticity {
  /** Its seal opens. */
  GENUINE,
  /** The key is there, and does not open it: nobody wrote this who has the key. */
  FORGED,
  /** The key that would open it was erased: nobody will ever know. */
  ERASED,
  /** The key cannot be had now. */
  UNKNOWN
}
