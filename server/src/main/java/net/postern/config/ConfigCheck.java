package net.postern.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import net.postern.address.EmailAddress;

/** What has to hold between keys, and for the things outside that they name. */
final class ConfigCheck {
  private static final Pattern KEY = Pattern.compile("[0-9a-fA-F]{64}");

  /** Stores that are made when the file names none, and the fewest that it may name. */
  static final int STORES = 3;

  private static final Pattern BUCKET = Pattern.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
  private static final Pattern PREFIX = Pattern.compile("([A-Za-z0-9._-]+/)*[A-Za-z0-9._-]{0,100}");

  private final Report report;

  /** Takes a problem with the full key that it is about. */
  @FunctionalInterface
  interface Report {
    void problem(String key, String message);
  }

  private ConfigCheck(Report report) {
    this.report = report;
  }

  static void check(PosternConfig config, Report report) {
    ConfigCheck check = new ConfigCheck(report);
    check.node(config.node());
    check.edge(config.edge());
    check.limits(config.limits());
    check.database(config.database());
    check.vault(config.vault());
    check.delivery(config.delivery());
    check.dns(config.dns());
    check.observe(config.observe(), config.edge());
  }

  private void node(NodeConfig node) {
    Optional<String> name = EmailAddress.normalDomain(node.hostname());
    if (name.isEmpty() || name.get().indexOf('.') < 0 || isAddress(node.hostname())) {
      report.problem(
          "node.hostname",
          "\""
              + node.hostname()
              + "\" is no fully qualified host name; write one such as \"mx1.example.com\"");
    }
  }

  private static boolean isAddress(String text) {
    return text.startsWith("[") || Network.parse(text).isPresent();
  }

  private void edge(EdgeConfig edge) {
    if (edge.listen().isEmpty()) {
      report.problem(
          "edge.listen", "is empty, so no mail could come in; write [\"0.0.0.0:25\"] or the like");
    }
    Set<HostPort> seen = new HashSet<>();
    distinct("edge.listen", edge.listen(), seen);
    distinct("edge.submission", edge.submission(), seen);
    distinct("edge.submissions", edge.submissions(), seen);
    atMost("edge.soft_errors", edge.softErrors(), "edge.hard_errors", edge.hardErrors());
    atMost(
        "edge.max_connections_per_source",
        edge.maxConnectionsPerSource(),
        "edge.max_connections",
        edge.maxConnections());
    atMost(
        "edge.command_timeout",
        edge.commandTimeout(),
        "edge.session_timeout",
        edge.sessionTimeout());
    atMost("edge.data_timeout", edge.dataTimeout(), "edge.message_timeout", edge.messageTimeout());
    atMost(
        "edge.message_timeout",
        edge.messageTimeout(),
        "edge.session_timeout",
        edge.sessionTimeout());
    if (edge.certificate().isPresent() && edge.privateKey().isEmpty()) {
      report.problem(
          "edge.certificate", "has no private key; write edge.private_key with its file too");
    }
    if (edge.privateKey().isPresent() && edge.certificate().isEmpty()) {
      report.problem(
          "edge.private_key", "has no certificate; write edge.certificate with its file too");
    }
    edge.certificate().ifPresent(path -> readable("edge.certificate", path));
    edge.privateKey().ifPresent(path -> readable("edge.private_key", path));
    for (int i = 0; i < edge.tls().size(); i++) {
      tls("edge.tls[%d]".formatted(i + 1), edge.tls().get(i));
    }
  }

  private void tls(String key, EdgeTlsConfig tls) {
    readable(key + ".certificate", tls.certificate());
    readable(key + ".private_key", tls.privateKey());
    for (String host : tls.hosts()) {
      String name = host.startsWith("*.") ? host.substring(2) : host;
      if (EmailAddress.normalDomain(name).isEmpty() || name.indexOf('.') < 0 || isAddress(name)) {
        report.problem(
            key + ".hosts",
            "\""
                + host
                + "\" is no host name; write one such as \"mail.example.com\" or"
                + " \"*.example.com\"");
      }
    }
  }

  private void dns(DnsConfig dns) {
    Set<HostPort> seen = new HashSet<>();
    for (HostPort server : dns.servers()) {
      if (Network.parse(server.host()).isEmpty() || server.host().indexOf('/') >= 0) {
        report.problem(
            "dns.servers",
            "\"" + server + "\" is no address and port; write one such as \"127.0.0.1:53\"");
      } else if (server.port() == 0) {
        report.problem("dns.servers", server + " has no port; name servers listen on 53");
      } else if (!seen.add(server)) {
        report.problem("dns.servers", server + " is listed twice; keep one");
      }
    }
  }

  private void distinct(String key, List<HostPort> addresses, Set<HostPort> seen) {
    for (HostPort address : addresses) {
      if (!seen.add(address) && address.port() != 0) {
        report.problem(key, address + " is listed twice; keep one");
      }
    }
  }

  private void database(DatabaseConfig database) {
    if (database.url().isPresent() && !database.url().get().startsWith("jdbc:postgresql:")) {
      report.problem(
          "database.url",
          "is no PostgreSQL JDBC URL; write one such as"
              + " \"jdbc:postgresql://db1.example.com/postern\"");
    }
  }

  private void vault(VaultConfig vault) {
    List<Path> stores = vault.stores();
    int configured = stores.size() + vault.s3().size();
    if (configured > 0 && configured < STORES) {
      report.problem(
          vault.s3().isEmpty() ? "vault.stores" : "vault.s3",
          vault.s3().isEmpty()
              ? "has %d; write at least %d, since every message is kept that often, or none to have them made below node.data"
                  .formatted(configured, STORES)
              : "makes %d with vault.stores; write at least %d, since every message is kept that often"
                  .formatted(configured, STORES));
    }
    int number = configured == 0 ? STORES : configured;
    if (vault.minimum() > number) {
      report.problem(
          "vault.minimum",
          "asks for %d copies, but there are %d stores; write %d or less"
              .formatted(vault.minimum(), number, number));
    }
    if (vault.copies().isPresent() && vault.copies().get() != number) {
      report.problem(
          "vault.copies",
          "is %d, but there are %d stores (%d in vault.stores, %d in [[vault.s3]]%s); write the missing ones, or %d"
              .formatted(
                  vault.copies().get(),
                  number,
                  stores.size(),
                  vault.s3().size(),
                  configured == 0 ? ", so three are made" : "",
                  number));
    }
    for (int i = 0; i < stores.size(); i++) {
      for (int j = i + 1; j < stores.size(); j++) {
        Path one = stores.get(i);
        Path other = stores.get(j);
        if (one.equals(other)) {
          report.problem("vault.stores", one + " is listed twice; copies need places of their own");
        } else if (one.startsWith(other) || other.startsWith(one)) {
          report.problem(
              "vault.stores",
              one + " and " + other + " lie inside each other; use two directories");
        }
      }
    }
    vault.masterKey().ifPresent(source -> keySource("vault.master_key", source));
    vault.previousMasterKeys().forEach(each -> keySource("vault.previous_master_keys", each));
    Set<KeySource> seen = new HashSet<>(vault.masterKey().stream().toList());
    for (KeySource each : vault.previousMasterKeys()) {
      if (!seen.add(each)) {
        report.problem(
            "vault.previous_master_keys",
            "names a key that vault.master_key or an entry before has; keep one of them");
      }
    }
    for (int i = 0; i < vault.s3().size(); i++) {
      s3("vault.s3[%d]".formatted(i + 1), vault.s3().get(i), vault.s3().subList(0, i));
    }
  }

  private void s3(String name, S3Config store, List<S3Config> before) {
    if (!BUCKET.matcher(store.bucket()).matches()) {
      report.problem(
          name + ".bucket",
          "\"%s\" is no bucket name; write 3 to 63 lower-case letters, digits, dots and hyphens"
              .formatted(store.bucket()));
    }
    if (!PREFIX.matcher(store.prefix()).matches()) {
      report.problem(
          name + ".prefix",
          "\"%s\" cannot begin keys; write letters, digits, dots, hyphens and single slashes, not at the beginning"
              .formatted(store.prefix()));
    }
    if (store.region().isBlank() || store.accessKey().isBlank()) {
      report.problem(
          name + (store.region().isBlank() ? ".region" : ".access_key"),
          "is empty; write what the provider of the bucket says");
    }
    if (store.secretKeyFile().isPresent() == store.secretKeyEnv().isPresent()) {
      report.problem(
          name + ".secret_key_file",
          store.secretKeyFile().isPresent()
              ? "is written beside secret_key_env; keep one of them"
              : "is missing; write it with the file that holds the secret key, or secret_key_env with the environment variable that does");
    }
    store.secretKeyFile().ifPresent(path -> readable(name + ".secret_key_file", path));
    for (S3Config other : before) {
      if (store.endpoint().equals(other.endpoint())
          && store.bucket().equals(other.bucket())
          && (store.prefix().startsWith(other.prefix())
              || other.prefix().startsWith(store.prefix()))) {
        report.problem(
            name,
            "bucket \"%s\" of %s is listed twice; copies need places of their own"
                .formatted(store.bucket(), store.endpoint()));
      }
    }
  }

  private void delivery(DeliveryConfig delivery) {
    atMost(
        "delivery.first_retry", delivery.firstRetry(), "delivery.max_retry", delivery.maxRetry());
    atMost("delivery.max_retry", delivery.maxRetry(), "delivery.give_up", delivery.giveUp());
    atMost(
        "delivery.connections_per_target",
        delivery.connectionsPerTarget(),
        "delivery.concurrency",
        delivery.concurrency());
    // The wait after the end of the message is five times the reply timeout.
    Duration attempt = delivery.connectTimeout().plus(delivery.replyTimeout().multipliedBy(5));
    if (delivery.lease().compareTo(attempt) < 0) {
      report.problem(
          "delivery.lease",
          "%s is shorter than one attempt may take (connect_timeout and 5 times reply_timeout: %s), so that a message could be sent twice; write that or more"
              .formatted(Durations.format(delivery.lease()), Durations.format(attempt)));
    }
  }

  private void observe(ObserveConfig observe, EdgeConfig edge) {
    observe
        .listen()
        .filter(address -> address.port() != 0 && edge.listen().contains(address))
        .ifPresent(
            address ->
                report.problem(
                    "observe.listen",
                    address + " is also in edge.listen; write another port for one of them"));
  }

  // What an environment variable or a program gives shows when it is asked, at the start.
  private void keySource(String key, KeySource source) {
    if (source instanceof KeySource.File(Path path)) {
      if (KEY.matcher(String.valueOf(path.getFileName())).matches()) {
        // Not repeated: this goes to terminals and logs.
        report.problem(
            key, "is the key itself; put it into a file that only Postern may read, and name that");
      } else {
        readable(key, path);
      }
    }
  }

  private void readable(String key, Path path) {
    if (!Files.isRegularFile(path)) {
      report.problem(key, path + " is no file; write the path of one that exists");
    } else if (!Files.isReadable(path)) {
      report.problem(
          key, path + " may not be read by this user (" + System.getProperty("user.name") + ")");
    }
  }

  private void limits(LimitsConfig limits) {
    atMost(
        "limits.first_block", limits.firstBlock(), "limits.longest_block", limits.longestBlock());
  }

  private void atMost(String lowKey, int low, String highKey, int high) {
    if (low > high) {
      report.problem(
          lowKey, "%d is above %s (%d); write %d or less".formatted(low, highKey, high, high));
    }
  }

  private void atMost(String lowKey, Duration low, String highKey, Duration high) {
    if (low.compareTo(high) > 0) {
      report.problem(
          lowKey,
          "%s is above %s (%s); write that or less"
              .formatted(Durations.format(low), highKey, Durations.format(high)));
    }
  }
}
