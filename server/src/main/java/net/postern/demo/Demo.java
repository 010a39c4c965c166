package net.postern.demo;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.postern.config.ObserveConfig;
import net.postern.config.ObserveConfig.LogAddresses;
import net.postern.config.ObserveConfig.LogFormat;
import net.postern.id.MessageId;
import net.postern.ledger.Balance;
import net.postern.ledger.MessageQueries;
import net.postern.node.StartException;
import net.postern.observe.Logging;
import net.postern.tenant.TenantException;
import net.postern.vault.VaultUnavailableException;

/** One demonstration, from an empty directory to the end. */
public final class Demo {
  private static final int SHOWN = 5;

  /** Longest that Ctrl-C waits for the step under way and the clean end. */
  private static final long STOP_SECONDS = 90;

  private final PrintWriter out;
  private final boolean once;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final List<String> wrong = new ArrayList<>();
  private Optional<MessageId> held = Optional.empty();

  private Demo(PrintWriter out, boolean once) {
    this.out = out;
    this.once = once;
  }

  /** The process is to end: nothing further is begun. */
  private static final class Stopped extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Runs it. SIGINT and SIGTERM end it cleanly at any moment.
   *
   * @param data kept afterwards; without it a fresh temporary directory is used and removed
   * @param once whether to end after the checks; otherwise the node serves on until a signal comes
   * @return whether everything was as it has to be
   * @throws StartException when the machine does not allow it; the message says why
   */
  public static boolean run(PrintWriter out, Optional<Path> data, boolean once)
      throws StartException {
    Demo demo = new Demo(out, once);
    Runtime.getRuntime()
        .addShutdownHook(Thread.ofPlatform().name("stop-demo").unstarted(demo::stop));
    try {
      return demo.inDirectory(data);
    } finally {
      demo.ended.countDown();
    }
  }

  private void stop() {
    stopping.countDown();
    try {
      if (!ended.await(STOP_SECONDS, TimeUnit.SECONDS)) {
        out.println("The demonstration did not end in time.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isStopping() {
    return stopping.getCount() == 0;
  }

  private void goOn() throws Stopped {
    if (isStopping()) {
      throw new Stopped();
    }
  }

  private boolean inDirectory(Optional<Path> data) throws StartException {
    try {
      if (data.isPresent()) {
        return run(data.get().toAbsolutePath().normalize(), false);
      }
      Path temporary = Files.createTempDirectory("postern-demo-");
      try {
        return run(temporary, true);
      } finally {
        remove(temporary);
      }
    } catch (IOException e) {
      throw new StartException("the demonstration cannot go on: " + e, e);
    }
  }

  private boolean run(Path data, boolean temporary) throws StartException, IOException {
    out.println("Starting a node with everything bundled in " + data + " ...");
    try (DemoNode node = DemoNode.in(data, out);
        NextHop server = NextHop.start(Samples.OFFICE_DOMAIN, data.resolve("customer-server"))) {
      node.start();
      out.println("  the customer's own mail server on " + server.address());
      goOn();
      node.setUp(server);
      Report report = new Report(out, data);
      samples(node, server, report);
      List<Check> checks = new ArrayList<>();
      checks.add(balance(node));
      checks.addAll(Pages.check(node.httpPort()));
      List<StoreCheck.Accepted> accepted =
          StoreCheck.accepted(node.messages(), node.node().vault());
      goOn();
      node.stop();
      checks.addAll(StoreCheck.run(data, accepted));
      out.println();
      for (Check check : checks) {
        report.check(check);
        if (!check.ok()) {
          wrong.add(check.what() + ": " + check.detail());
        }
      }
      conclude();
      goOn();
      if (!once) {
        serve(node, temporary);
      }
    } catch (Stopped e) {
      out.println("Stopped.");
    } catch (StartException e) {
      // Ctrl-C reaches the programs that a start runs as well, and they end first.
      if (!isStopping()) {
        throw e;
      }
      out.println("Stopped.");
    } catch (TenantException | VaultUnavailableException e) {
      throw new StartException("the demonstration cannot go on: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted", e);
    }
    return wrong.isEmpty();
  }

  private void samples(DemoNode node, NextHop server, Report report) throws IOException, Stopped {
    Instant start = Instant.now();
    List<Sample> samples = Samples.all(start, node.config().edge().maxMessage().bytes());
    out.println("Sending " + samples.size() + " samples over SMTP ...");
    List<Outcome> outcomes = new ArrayList<>();
    try (Sender sender = new Sender(node.smtp())) {
      List<Sender.Said> replies = new ArrayList<>();
      for (Sample sample : samples) {
        goOn();
        replies.add(said(sender, sample));
      }
      for (int i = 0; i < samples.size(); i++) {
        goOn();
        outcomes.add(Outcome.of(samples.get(i), replies.get(i), node, server, this::isStopping));
      }
    }
    goOn();
    out.println();
    report.title();
    for (Outcome outcome : outcomes) {
      report.sample(outcome);
      if (outcome.sample().expected().ended() == Sample.Ended.HELD) {
        held = outcome.id();
      }
      outcome.wrong().forEach(each -> wrong.add(outcome.sample().name() + ": " + each));
    }
    nothingElse(node, start, outcomes);
  }

  private static Sender.Said said(Sender sender, Sample sample) {
    try {
      return sender.send(sample);
    } catch (IOException e) {
      return new Sender.Said("(" + e.getMessage() + ")", "connection");
    }
  }

  /** Whatever was accepted since the start is a sample that had to be: nothing was smuggled in. */
  private void nothingElse(DemoNode node, Instant start, List<Outcome> outcomes) {
    Set<MessageId> known =
        outcomes.stream().flatMap(each -> each.id().stream()).collect(Collectors.toSet());
    for (MessageQueries.Accepted each : node.messages().accepted(StoreCheck.MAX_MESSAGES)) {
      if (!each.acceptedAt().isBefore(start) && !known.contains(each.id())) {
        wrong.add(
            "a message was accepted that nobody sent: %s from <%s>"
                .formatted(each.id(), each.reversePath().orElse("")));
      }
    }
  }

  private static Check balance(DemoNode node) {
    long difference = 0;
    List<String> sums = new ArrayList<>();
    for (Balance each : Balance.all(node.node().database())) {
      difference += Math.abs(each.difference());
      sums.add(
          "%s: %d messages, %d accepted = %d delivered + %d held + %d waiting + %d returned + %d removed"
              .formatted(
                  each.name(),
                  each.messages(),
                  each.accepted(),
                  each.delivered(),
                  each.held(),
                  each.waiting(),
                  each.returned(),
                  each.removed()));
    }
    List<MessageId> unbalanced = Balance.unbalanced(node.node().database(), SHOWN);
    boolean ok = difference == 0 && unbalanced.isEmpty() && !sums.isEmpty();
    return new Check(
        "ledger balance",
        ok,
        String.join("; ", sums)
            + (ok ? "" : "; DIFFERENCE " + difference + ", unbalanced: " + unbalanced));
  }

  private void conclude() {
    out.println();
    if (wrong.isEmpty()) {
      out.println("Everything was as expected.");
    } else {
      out.println("NOT as expected:");
      wrong.forEach(each -> out.println("  " + each));
    }
    out.flush();
  }

  private void serve(DemoNode node, boolean temporary) throws StartException, InterruptedException {
    Path data = node.data();
    String config = " --config " + quoted(node.configFile());
    node.startAgain();
    out.println(
        """

        The node serves on until Ctrl-C%s.
          SMTP        127.0.0.1:%d
          pages       http://127.0.0.1:%d/ready and /metrics
          Maildirs    %s
          data        %s

        Try in another terminal:
          swaks --server 127.0.0.1:%d --to %s --header 'Subject: hello'
          ./postern admin quarantine list%s
          ./postern admin quarantine release %s%s
          ./postern admin trace %s%s
        The log of mail follows.
        """
            .formatted(
                temporary ? ", which removes its data" : "",
                node.smtp().getPort(),
                node.httpPort(),
                node.maildirs().resolve(Samples.DOMAIN),
                data,
                node.smtp().getPort(),
                Samples.ALICE,
                config,
                held.map(MessageId::toString).orElse("ID"),
                config,
                Samples.ALICE,
                config));
    out.flush();
    Logging.start(
        new ObserveConfig(
            Optional.empty(), LogFormat.TEXT, LogAddresses.HIDDEN, Duration.ofDays(30), 6_000));
    stopping.await();
    out.println(
        temporary
            ? "Stopping ..."
            : "Stopping; it can be started again with ./postern start" + config + " ...");
  }

  private static String quoted(Path path) {
    String text = path.toString();
    return text.matches("[\\w./+-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  private static void remove(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
