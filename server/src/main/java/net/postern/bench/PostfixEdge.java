package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * An instance of the installed Postfix with postscreen before it; needs root. It sees a resolv.conf
 * of its own, in a mount namespace, for it cannot be told otherwise which name server to ask.
 *
 * <p>What the configuration asks of a client and its sender is what our checks ask: block lists of
 * addresses (postscreen, with weights, as Postfix advises: smtpd does not ask them again), lists of
 * domains about client, HELO name and sender, the verified name, the HELO name, whether the
 * sender's domain exists, whether the recipient does. Limits are raised so far that none of them is
 * reached.
 */
final class PostfixEdge implements Edge {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String LOG = "/var/log/postern-bench-postscreen.log";

  /** Binds a file over resolv.conf for whoever comes after it in this namespace. */
  private static final String ENTER =
      "mount --bind \"$1\" /etc/resolv.conf && exec \"$2\" -c \"$3\" start-fg";

  private final Child child;
  private final Path config;
  private final Path output;
  private final int port;

  private PostfixEdge(Child child, Path config, Path output, int port) {
    this.child = child;
    this.config = config;
    this.output = output;
    this.port = port;
  }

  /** Whether this machine and user can run it. */
  static boolean possible() {
    return Tools.has("postfix") && Tools.has("postscreen") && Tools.isRoot();
  }

  /**
   * @param nameServer an address; it has port 53
   */
  static PostfixEdge start(Path directory, String nameServer) throws BenchException {
    int port = Ports.free();
    Path config = directory.resolve("postfix");
    Path output = directory.resolve("postfix.txt");
    Path resolv = directory.resolve("resolv.conf");
    try {
      Files.createDirectories(config);
      Files.createDirectories(directory.resolve("postfix-data"));
      Files.createDirectories(directory.resolve("postfix-queue"));
      Files.writeString(resolv, "nameserver " + nameServer + "\n");
      Files.writeString(config.resolve("main.cf"), main(directory));
      Files.writeString(config.resolve("master.cf"), master(port));
      Files.writeString(
          config.resolve("users"),
          IntStream.range(0, EdgeWorld.USERS)
              .mapToObj(n -> EdgeWorld.user(n) + " ok\n")
              .collect(Collectors.joining()));
    } catch (IOException e) {
      throw new BenchException("cannot write Postfix's configuration", e);
    }
    Child.run(
        output, LIMIT, List.of("chown", "postfix", directory.resolve("postfix-data").toString()));
    Child.run(
        output,
        LIMIT,
        List.of(Tools.find("postmap"), "-c", config.toString(), "hash:" + config.resolve("users")));
    Child child =
        Child.start(
            output,
            List.of(
                Tools.find("unshare", "util-linux"),
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                ENTER,
                "sh",
                resolv.toString(),
                Tools.find("postfix"),
                config.toString()));
    PostfixEdge edge = new PostfixEdge(child, config, directory.resolve("postfix-stop.txt"), port);
    if (!Child.await(LIMIT, () -> !child.alive() || Ports.answers(port)) || !child.alive()) {
      String said = child.text();
      edge.close();
      throw new BenchException("Postfix does not answer on port %d: %s".formatted(port, said));
    }
    return edge;
  }

  private static String main(Path directory) {
    String sites =
        EdgeWorld.ADDRESS_LISTS.stream()
            .map(list -> "%s=127.0.0.2*%d".formatted(list, EdgeWorld.WEIGHT))
            .collect(Collectors.joining(", "));
    String lists =
        EdgeWorld.DOMAIN_LISTS.stream()
            .map(
                list ->
                    "reject_rhsbl_client %1$s, reject_rhsbl_helo %1$s, reject_rhsbl_sender %1$s"
                        .formatted(list))
            .collect(Collectors.joining(",\n  "));
    return """
    compatibility_level = 3.6
    queue_directory = %1$s/postfix-queue
    data_directory = %1$s/postfix-data
    command_directory = /usr/sbin
    daemon_directory = /usr/lib/postfix/sbin
    mail_owner = postfix
    setgid_group = postdrop
    maillog_file = %2$s
    myhostname = %3$s
    mydestination =
    local_recipient_maps =
    alias_maps =
    alias_database =
    inet_interfaces = 127.0.0.1
    inet_protocols = ipv4
    mynetworks = 127.0.0.0/8
    relay_domains = %4$s
    relay_recipient_maps = hash:%1$s/postfix/users
    default_process_limit = 1000
    smtpd_hard_error_limit = 20
    max_use = 1000
    in_flow_delay = 0
    postscreen_upstream_proxy_protocol = haproxy
    postscreen_pre_queue_limit = 15000
    postscreen_post_queue_limit = 15000
    postscreen_cache_map = btree:$data_directory/postscreen_cache
    postscreen_greet_wait = %5$ds
    postscreen_dnsbl_sites = %6$s
    postscreen_dnsbl_threshold = %7$d
    postscreen_dnsbl_action = enforce
    smtpd_helo_required = yes
    smtpd_client_restrictions = reject_unknown_client_hostname
    smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname,
      reject_unknown_helo_hostname
    smtpd_sender_restrictions = reject_non_fqdn_sender, reject_unknown_sender_domain
    smtpd_relay_restrictions = reject_unauth_destination
    smtpd_recipient_restrictions =
      %8$s
    """
        .formatted(
            directory,
            LOG,
            EdgeWorld.HOST,
            EdgeWorld.DOMAIN,
            EdgeWorld.GREET_SECONDS,
            sites,
            EdgeWorld.THRESHOLD,
            lists);
  }

  private static String master(int port) {
    return """
        127.0.0.1:%d inet n - n - 1 postscreen
        smtpd pass - - n - 200 smtpd
        dnsblog unix - - n - 0 dnsblog
        tlsproxy unix - - n - 0 tlsproxy
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        verify unix - - n - 1 verify
        flush unix n - n 1000? 0 flush
        proxymap unix - - n - - proxymap
        smtp unix - - n - - smtp
        relay unix - - n - - smtp
        error unix - - n - - error
        retry unix - - n - - error
        discard unix - - n - - discard
        anvil unix - - n - 1 anvil
        scache unix - - n - 1 scache
        tlsmgr unix - - n 1000? 1 tlsmgr
        postlog unix-dgram n - n - 1 postlogd
        """
        .formatted(port);
  }

  @Override
  public String name() {
    return "Postfix";
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public long pid() {
    return child.pid();
  }

  @Override
  public void close() {
    try {
      if (child.alive()) {
        Child.run(output, LIMIT, List.of(Tools.find("postfix"), "-c", config.toString(), "stop"));
      }
      child.close();
      Files.deleteIfExists(Path.of(LOG));
    } catch (BenchException | IOException e) {
      System.err.println("postern: Postfix did not stop as asked: " + e.getMessage());
      child.close();
    }
  }
}
