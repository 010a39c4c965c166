package net.postern.config;

/** Who may lift an object lock before its time. */
public enum LockMode {
  /** Those who have the permission to, on the server. */
  GOVERNANCE,
  /** Nobody, not even the owner of the bucket. */
  COMPLIANCE
}
