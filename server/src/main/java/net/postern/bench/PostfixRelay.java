package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * An instance of the installed Postfix with its own configuration, queue and port; needs root. Set
 * up to relay as fast as it can: no delay of incoming mail, deliveries concurrent from the start,
 * connections to the next hop kept.
 */
final class PostfixRelay implements Relay {
  private final Path config;
  private final Path output;
  private final int port;

  private PostfixRelay(Path config, Path output, int port) {
    this.config = config;
    this.output = output;
    this.port = port;
  }

  /** Whether this machine and user can run it. */
  static boolean possible() {
    return Tools.has("postfix") && Tools.has("postconf") && Tools.isRoot();
  }

  static PostfixRelay start(Path directory, int sink) throws BenchException {
    int port = Ports.free();
    Path config = directory.resolve("postfix");
    Path output = directory.resolve("postfix.txt");
    try {
      Files.createDirectories(config);
      Files.createDirectories(directory.resolve("postfix-data"));
      Files.createDirectories(directory.resolve("postfix-queue"));
      Files.writeString(config.resolve("main.cf"), main(directory, sink));
      Files.writeString(config.resolve("master.cf"), master(port));
    } catch (IOException e) {
      throw new BenchException("cannot write Postfix's configuration", e);
    }
    Duration limit = Duration.ofSeconds(30);
    Child.run(
        output, limit, List.of("chown", "postfix", directory.resolve("postfix-data").toString()));
    Child.run(output, limit, List.of(Tools.find("postfix"), "-c", config.toString(), "start"));
    PostfixRelay relay = new PostfixRelay(config, output, port);
    if (!Child.await(Duration.ofSeconds(10), () -> Ports.answers(port))) {
      relay.close();
      throw new BenchException("Postfix does not answer on port " + port);
    }
    return relay;
  }

  private static String main(Path directory, int sink) {
    return """
        compatibility_level = 3.6
        queue_directory = %1$s/postfix-queue
        data_directory = %1$s/postfix-data
        command_directory = /usr/sbin
        daemon_directory = /usr/lib/postfix/sbin
        mail_owner = postfix
        setgid_group = postdrop
        maillog_file = /var/log/postern-bench-postfix.log
        myhostname = mx.example.net
        mydestination =
        local_recipient_maps =
        alias_maps =
        alias_database =
        inet_interfaces = 127.0.0.1
        inet_protocols = ipv4
        mynetworks = 127.0.0.0/8
        relay_domains = %2$s
        relayhost = [127.0.0.1]:%3$d
        smtp_host_lookup = native
        disable_dns_lookups = yes
        smtpd_peername_lookup = no
        in_flow_delay = 0
        default_process_limit = 100
        initial_destination_concurrency = 20
        default_destination_concurrency_limit = 50
        smtp_connection_cache_destinations = 127.0.0.1
        qmgr_message_active_limit = 40000
        smtpd_client_connection_count_limit = 0
        """
        .formatted(directory, DOMAIN, sink);
  }

  private static String master(int port) {
    return """
        127.0.0.1:%d inet n - n - - smtpd
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
  public void close() {
    try {
      Child.run(
          output,
          Duration.ofSeconds(30),
          List.of(Tools.find("postfix"), "-c", config.toString(), "stop"));
      Files.deleteIfExists(Path.of("/var/log/postern-bench-postfix.log"));
    } catch (BenchException | IOException e) {
      System.err.println("postern: Postfix did not stop as asked: " + e.getMessage());
    }
  }
}
