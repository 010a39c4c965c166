package net.postern.config;

import java.util.Optional;

@Doc("Watching the node.")
public record ObserveConfig(
    @Doc(
            "Address of the HTTP server for /health, /ready and /metrics; it has no password, so keep it on loopback. Empty switches it off.")
        @Default("127.0.0.1:8025")
        Optional<HostPort> listen,
    @Doc("Format of the log: text for people, json for collectors.") @Default("text")
        LogFormat logFormat) {

  /** How log lines are written. */
  public enum LogFormat {
    TEXT,
    JSON
  }
}
