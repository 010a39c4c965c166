package net.postern.config;

import java.time.Duration;
import java.util.Optional;

@Doc("Watching the node.")
public record ObserveConfig(
    @Doc(
            "Address of the HTTP server for /health, /ready and /metrics; it has no password, so keep it on loopback. Empty switches it off.")
        @Default("127.0.0.1:8025")
        Optional<HostPort> listen,
    @Doc("Format of the log: text for people, json for collectors.") @Default("text")
        LogFormat logFormat,
    @Doc(
            "E-mail addresses in the log: hidden puts a token in the place of the local part, the same one for the same address; 'postern admin pseudonym' tells which. plain shows them.")
        @Default("hidden")
        LogAddresses logAddresses,
    @Doc("How long refusals are kept, for 'postern admin explain' and 'admin trace'.")
        @Default("30d")
        @Bounds(min = "1h", max = "3650d")
        Duration keepRefusals,
    @Doc(
            "Most refusals that a node keeps of one minute, one for each recipient; of a flood the others are counted, and the mail log has them.")
        @Default("6000")
        @Bounds(min = "10", max = "1000000")
        int refusalsPerMinute) {

  /** How log lines are written. */
  public enum LogFormat {
    TEXT,
    JSON
  }

  /** What the log has of an e-mail address. */
  public enum LogAddresses {
    HIDDEN,
    PLAIN
  }
}
