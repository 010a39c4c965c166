package net.postern.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.MessageView;
import net.postern.vault.VaultUnavailableException;

/**
 * What became of a sample.
 *
 * @param said the node's reply
 * @param id of the message, when it was accepted
 * @param deliveries what the ledger says, for each recipient
 * @param files where the message lies outside the vault, as far as it was found there
 * @param wrong what is not as it has to be; empty when all is
 */
record Outcome(
    Sample sample,
    Sender.Said said,
    Optional<MessageId> id,
    List<MessageView> deliveries,
    List<Path> files,
    List<String> wrong) {

  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final Pattern QUEUED = Pattern.compile("queued as ([0-9a-f-]{36})");
  private static final Pattern STORED = Pattern.compile("stored as (.+)");
  private static final byte[] TRACE = "Received: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] BODY = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  Outcome {
    deliveries = List.copyOf(deliveries);
    files = List.copyOf(files);
    wrong = List.copyOf(wrong);
  }

  boolean ok() {
    return wrong.isEmpty();
  }

  /** The message id that a reply names. */
  static Optional<MessageId> queued(String reply) {
    Matcher matcher = QUEUED.matcher(reply);
    return matcher.find() ? Optional.of(MessageId.parse(matcher.group(1))) : Optional.empty();
  }

  /**
   * Waits until every delivery of a sample has come to rest, for 30 seconds at most, and compares
   * all there is with what has to be.
   *
   * @param stopping asked while waiting: true ends the wait
   */
  static Outcome of(
      Sample sample, Sender.Said said, DemoNode node, NextHop server, BooleanSupplier stopping) {
    Optional<MessageId> id = queued(said.text());
    List<MessageView> deliveries =
        id.isEmpty() ? List.of() : await(node, id.get(), sample.to().size(), stopping);
    Findings findings = new Findings(sample, node, server);
    findings.reply(said);
    if (sample.expected().ended() == Sample.Ended.REFUSED) {
      if (id.isPresent()) {
        findings.wrong.add("it was accepted");
      }
    } else {
      findings.accepted(deliveries);
    }
    return new Outcome(sample, said, id, deliveries, findings.files, findings.wrong);
  }

  private static List<MessageView> await(
      DemoNode node, MessageId id, int recipients, BooleanSupplier stopping) {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      List<MessageView> found = node.messages().find(id);
      boolean atRest =
          found.size() == recipients && found.stream().allMatch(each -> isFinal(each.state()));
      if (atRest || stopping.getAsBoolean() || System.nanoTime() - end > 0) {
        return found;
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private static boolean isFinal(DeliveryState state) {
    return switch (state) {
      case WAITING, IN_PROGRESS -> false;
      case HELD, DELIVERED, RETURNED, REMOVED -> true;
    };
  }

  /** Looks at everything, and notes what is wrong. */
  private static final class Findings {
    private final Sample sample;
    private final DemoNode node;
    private final NextHop server;
    private final List<String> wrong = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();

    Findings(Sample sample, DemoNode node, NextHop server) {
      this.sample = sample;
      this.node = node;
      this.server = server;
    }

    void reply(Sender.Said said) {
      Sample.Expected expected = sample.expected();
      if (!said.text().startsWith(expected.reply() + " ")) {
        wrong.add("the reply had to be " + expected.reply() + ", it is " + said.text());
      }
      if (expected.ended() == Sample.Ended.REFUSED) {
        for (String name : expected.because()) {
          if (!said.text().contains(name)) {
            wrong.add("the refusal does not name " + name);
          }
        }
      }
    }

    void accepted(List<MessageView> deliveries) {
      if (deliveries.size() != sample.to().size()) {
        wrong.add(
            "the ledger has %d deliveries for %d recipients"
                .formatted(deliveries.size(), sample.to().size()));
      }
      for (MessageView each : deliveries) {
        explained(each);
        kept(each);
        switch (sample.expected().ended()) {
          case DELIVERED, FLAGGED -> delivered(each);
          case HELD -> {
            if (each.state() != DeliveryState.HELD) {
              wrong.add(each.recipient() + " had to be HELD, is " + each.state());
            }
          }
          case REFUSED -> throw new IllegalStateException("refused mail has no deliveries");
        }
      }
    }

    private void explained(MessageView view) {
      List<String> named = sample.expected().because();
      for (String name : named) {
        if (!(" " + view.findings()).contains(" " + name + "=")) {
          wrong.add(name + " was not found in it, but " + view.findings());
        }
      }
      if (named.isEmpty() && view.score() > 0) {
        wrong.add("something was found in clean mail: " + view.findings());
      }
    }

    // What the vault has is the trace field of this server and then what was sent.
    private void kept(MessageView view) {
      try {
        byte[] kept = node.node().vault().read(view.place()).content();
        if (!endsWith(kept, sample.content())
            || !Arrays.equals(kept, 0, TRACE.length, TRACE, 0, TRACE.length)) {
          wrong.add("the vault has other bytes than were sent");
        }
      } catch (VaultUnavailableException e) {
        wrong.add("the vault cannot give it: " + e.getMessage());
      }
    }

    private void delivered(MessageView view) {
      if (view.state() != DeliveryState.DELIVERED) {
        wrong.add(
            "%s had to be DELIVERED, is %s %s"
                .formatted(view.recipient(), view.state(), view.reply()));
        return;
      }
      Optional<Path> file = file(view);
      if (file.isEmpty()) {
        wrong.add("no telling where it was delivered to: " + view.reply());
        return;
      }
      try {
        byte[] found = Files.readAllBytes(file.get());
        files.add(file.get());
        if (sample.expected().ended() == Sample.Ended.FLAGGED) {
          flagged(found);
        } else if (!endsWith(found, sample.content())) {
          wrong.add("other bytes than were sent are in " + file.get());
        }
      } catch (IOException e) {
        wrong.add("it is not where it was delivered to: " + e);
      }
    }

    private Optional<Path> file(MessageView view) {
      Matcher stored = STORED.matcher(view.reply());
      if (stored.find()) {
        // The reply tells the file's name only; the directories are named after domain and user.
        String[] user = view.recipient().split("@", 2);
        return Optional.of(
            node.maildirs()
                .resolve(user[1])
                .resolve(user[0])
                .resolve("new")
                .resolve(stored.group(1)));
      }
      return queued(view.reply()).map(id -> server.file(id.toString()));
    }

    private void flagged(byte[] found) {
      int body = bodyOf(found);
      String header = new String(found, 0, body, StandardCharsets.UTF_8);
      if (!header.contains("X-Spam-Flag: YES")) {
        wrong.add("it was delivered without X-Spam-Flag");
      }
      byte[] sent = sample.content();
      int from = bodyOf(sent);
      if (!Arrays.equals(found, body, found.length, sent, from, sent.length)) {
        wrong.add("its body was changed");
      }
    }

    private static int bodyOf(byte[] message) {
      for (int i = 0; i + BODY.length <= message.length; i++) {
        if (Arrays.equals(message, i, i + BODY.length, BODY, 0, BODY.length)) {
          return i;
        }
      }
      return message.length;
    }

    private static boolean endsWith(byte[] whole, byte[] end) {
      int from = whole.length - end.length;
      return from >= 0 && Arrays.equals(whole, from, whole.length, end, 0, end.length);
    }
  }
}
