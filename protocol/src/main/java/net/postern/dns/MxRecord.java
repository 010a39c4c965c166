package net.postern.dns;

/**
 * A mail exchanger (RFC 1035 §3.3.9).
 *
 * @param preference lower is tried first
 * @param host lower case without final dot; empty for the root, which means "takes no mail" (RFC
 *     7505 §3)
 */
public record MxRecord(int preference, String host) {}
