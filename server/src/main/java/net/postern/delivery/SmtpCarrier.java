package net.postern.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import net.postern.config.InsideAddresses;
import net.postern.config.Network;
import net.postern.delivery.DeliveryResult.Delivered;
import net.postern.delivery.DeliveryResult.Diagnosis;
import net.postern.delivery.DeliveryResult.Permanent;
import net.postern.delivery.DeliveryResult.Transient;
import net.postern.dns.Answer;
import net.postern.dns.Resolver;
import net.postern.smtp.Reply;
import net.postern.smtp.client.ConnectResult;
import net.postern.smtp.client.OutgoingMail;
import net.postern.smtp.client.RecipientOutcome;
import net.postern.smtp.client.SmtpConnection;
import net.postern.smtp.client.SmtpConnector;
import net.postern.smtp.client.TlsMode;
import net.postern.tenant.Route;
import net.postern.vault.MessageVault;
import net.postern.vault.VaultUnavailableException;
import org.jspecify.annotations.Nullable;

/** Carries jobs to SMTP servers over one kept connection. Owned by one worker. */
final class SmtpCarrier implements Carrier {
  /** Addresses of one server that are tried; RFC 5321 §5.1 asks for at least two. */
  private static final int MAX_ADDRESSES = 4;

  private static final Duration QUIT_LIMIT = Duration.ofSeconds(5);

  private final Tools tools;
  private final Hop.Servers hop;
  private final String route;
  private @Nullable SmtpConnection connection;
  private Route.Target target;
  private String peer = "";

  /**
   * What all carriers share.
   *
   * @param leaseMargin an attempt is over so long before its lease
   * @param insideExchangers inside networks that MX records may point to
   * @param aborting whether connections are being cut because of a shutdown
   */
  record Tools(
      SmtpConnector connector,
      Resolver resolver,
      TargetHealth health,
      MessageVault vault,
      Settler settler,
      InstantSource clock,
      int messagesPerConnection,
      Duration leaseMargin,
      List<Network> insideExchangers,
      Outstanding goodbyes,
      BooleanSupplier aborting) {}

  SmtpCarrier(Tools tools, Hop.Servers hop) {
    this.tools = tools;
    this.hop = hop;
    this.route = hop.toString();
    this.target = hop.tiers().getFirst().getFirst();
  }

  @Override
  public Hint carry(Job job, boolean othersWork) {
    Duration budget = job.budget(tools.clock().instant(), tools.leaseMargin());
    if (!budget.isPositive()) {
      tools.settler().unattempted(job);
      return Hint.NONE;
    }
    long end = System.nanoTime() + budget.toNanos();
    OutgoingMail mail;
    try {
      mail = job.mail(job.content(tools.vault()));
    } catch (VaultUnavailableException e) {
      tools
          .settler()
          .settleAll(
              job, route, transientFailure("4.3.0", "the stored message cannot be read now"));
      return Hint.NONE;
    }
    boolean kept = connection != null;
    if (!kept) {
      Optional<Opening> problem = open(budget, othersWork);
      if (problem.isPresent()) {
        return problem.get().crowded() ? Hint.CROWDED : failed(job, problem.get().result());
      }
    }
    List<RecipientOutcome> outcomes = transmit(mail, remaining(end));
    if (kept && outcomes.stream().anyMatch(SmtpCarrier::isStale)) {
      // The server closed a kept connection while we were not looking: no fault of the message.
      Optional<Opening> problem = open(remaining(end), false);
      if (problem.isEmpty()) {
        outcomes = resend(mail, outcomes, remaining(end));
      }
    }
    return settle(job, outcomes);
  }

  private Hint failed(Job job, DeliveryResult result) {
    if (tools.aborting().getAsBoolean()) {
      tools.settler().unattempted(job);
    } else {
      tools.settler().settleAll(job, route, result);
    }
    return Hint.BAD;
  }

  private static Duration remaining(long end) {
    return Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime()));
  }

  private List<RecipientOutcome> transmit(OutgoingMail mail, Duration limit) {
    SmtpConnection open = connection;
    if (open == null) {
      return Collections.nCopies(
          mail.recipients().size(),
          new RecipientOutcome.Lost(false, false, "the connection was lost"));
    }
    List<RecipientOutcome> outcomes = open.send(mail, limit);
    if (!open.isUsable()) {
      open.close();
      connection = null;
    } else if (open.transactions() >= tools.messagesPerConnection()) {
      sayGoodbye(open);
      connection = null;
    }
    return outcomes;
  }

  /** Sends to those again whom the lost connection left without an answer. */
  private List<RecipientOutcome> resend(
      OutgoingMail mail, List<RecipientOutcome> before, Duration limit) {
    List<Integer> again = new ArrayList<>();
    for (int i = 0; i < before.size(); i++) {
      if (isStale(before.get(i))) {
        again.add(i);
      }
    }
    OutgoingMail rest =
        new OutgoingMail(
            mail.reversePath(),
            again.stream().map(mail.recipients()::get).toList(),
            mail.content(),
            mail.utf8());
    List<RecipientOutcome> fresh = transmit(rest, limit);
    List<RecipientOutcome> merged = new ArrayList<>(before);
    for (int i = 0; i < again.size(); i++) {
      merged.set(again.get(i), fresh.get(i));
    }
    return merged;
  }

  private static boolean isStale(RecipientOutcome outcome) {
    return switch (outcome) {
      case RecipientOutcome.Lost(boolean afterEnd, boolean timedOut, String why) ->
          !afterEnd && !timedOut;
      // RFC 5321 §3.8: how a server announces that it gives an idle connection up.
      case RecipientOutcome.Replied(Reply reply, RecipientOutcome.Stage stage) ->
          reply.code() == 421 && stage != RecipientOutcome.Stage.END_OF_DATA;
      case RecipientOutcome.Unsendable _ -> false;
    };
  }

  private Hint settle(Job job, List<RecipientOutcome> outcomes) {
    boolean answered = false;
    boolean lost = false;
    boolean silent = false;
    boolean aborting = tools.aborting().getAsBoolean();
    List<DeliveryResult> results = new ArrayList<>(outcomes.size());
    boolean cut = false;
    for (RecipientOutcome outcome : outcomes) {
      if (outcome instanceof RecipientOutcome.Lost gone) {
        lost = true;
        silent |= gone.timedOut();
        cut |= aborting && !gone.afterEnd();
      } else {
        answered = true;
      }
      results.add(result(outcome));
    }
    if (cut) {
      settleCut(job, outcomes, results);
      return Hint.NONE;
    }
    tools.settler().settle(job, route, results);
    if (silent) {
      tools.health().failed(target, peer + " did not answer in time");
      return Hint.BAD;
    }
    if (lost) {
      // One message that a server chokes on does not make it a dead one.
      return Hint.BAD;
    }
    if (answered) {
      tools.health().works(target);
    }
    return Hint.GOOD;
  }

  /** At shutdown: those without an answer go back untried, the rest is entered. */
  private void settleCut(Job job, List<RecipientOutcome> outcomes, List<DeliveryResult> results) {
    for (int i = 0; i < outcomes.size(); i++) {
      Job single = new Job(List.of(job.deliveries().get(i)), job::done);
      if (outcomes.get(i) instanceof RecipientOutcome.Lost gone && !gone.afterEnd()) {
        tools.settler().unattempted(single);
      } else {
        tools.settler().settle(single, route, List.of(results.get(i)));
      }
    }
  }

  private DeliveryResult result(RecipientOutcome outcome) {
    return switch (outcome) {
      case RecipientOutcome.Replied replied -> {
        Reply reply = replied.reply();
        if (replied.isAccepted()) {
          yield new Delivered(peer + ": " + reply);
        }
        // A positive reply where none can be meant, or one of class 3, is a server out of step.
        // RFC 5321 §4.5.3.1.10: 552 to RCPT means too many recipients, which is for now.
        boolean tooMany = reply.code() == 552 && replied.stage() == RecipientOutcome.Stage.RCPT;
        boolean permanent = reply.permanentFailure() && !tooMany;
        String status = tooMany ? "4.5.3" : reply.enhancedOr(permanent ? "5.0.0" : "4.0.0");
        Diagnosis why = new Diagnosis(status, Optional.of(target.host()), reply.toString(), true);
        yield permanent ? new Permanent(why) : new Transient(why);
      }
      case RecipientOutcome.Lost(boolean afterEnd, boolean timedOut, String why) ->
          transientFailure(
              "4.4.2",
              afterEnd
                  // RFC 1047: the sender cannot know, and must not lose the message.
                  ? why
                      + " after the whole message was sent; the server may have taken it, so a"
                      + " second copy is possible"
                  : why);
      case RecipientOutcome.Unsendable(String status, String why) ->
          new Permanent(new Diagnosis(status, Optional.of(target.host()), why, false));
    };
  }

  private DeliveryResult transientFailure(String status, String why) {
    return new Transient(new Diagnosis(status, Optional.of(target.host()), why, false));
  }

  /** Why there is no connection. */
  private record Opening(boolean crowded, DeliveryResult result) {}

  /** Connects to the first server that can be reached; empty when it worked. */
  private Optional<Opening> open(Duration limit, boolean othersWork) {
    long end = System.nanoTime() + limit.toNanos();
    String why = "no server to try";
    String status = "4.4.1";
    boolean quoted = false;
    for (List<Route.Target> tier : hop.tiers()) {
      List<Route.Target> order = tier;
      if (tier.size() > 1) {
        // RFC 5321 §5.1: equal preferences are taken in random order.
        order = new ArrayList<>(tier);
        Collections.shuffle(order);
      }
      for (Route.Target candidate : order) {
        Optional<String> down = tools.health().downReason(candidate);
        if (down.isPresent()) {
          why = down.get();
          target = candidate;
          continue;
        }
        Duration rest = Duration.ofNanos(end - System.nanoTime());
        if (!rest.isPositive() || tools.aborting().getAsBoolean()) {
          continue;
        }
        target = candidate;
        peer = candidate.toString();
        Attempt attempt = connect(candidate, rest);
        if (attempt.connection().isPresent()) {
          connection = attempt.connection().get();
          return Optional.empty();
        }
        why = attempt.why();
        status = attempt.status();
        quoted = attempt.quoted();
        if (!othersWork) {
          tools.health().failed(candidate, why);
        }
      }
    }
    Diagnosis diagnosis = new Diagnosis(status, Optional.of(target.host()), why, quoted);
    return Optional.of(new Opening(othersWork, new Transient(diagnosis)));
  }

  private record Attempt(
      Optional<SmtpConnection> connection, String status, String why, boolean quoted) {
    static Attempt failed(String status, String why) {
      return new Attempt(Optional.empty(), status, why, false);
    }
  }

  private Attempt connect(Route.Target candidate, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    Answer<InetAddress> addresses = addresses(candidate.host());
    if (addresses instanceof Answer.Failure<InetAddress>(String reason, Answer.Cause _)) {
      return Attempt.failed("4.4.3", reason);
    }
    List<InetAddress> allowed =
        addresses.orNone().stream().filter(this::mayReach).limit(MAX_ADDRESSES).toList();
    Attempt last =
        Attempt.failed(
            "4.4.4",
            addresses.orNone().isEmpty()
                ? "the host name " + candidate.host() + " has no address"
                : candidate.host() + " has only inside addresses (see delivery.inside_exchangers)");
    for (InetAddress address : allowed) {
      ConnectResult result =
          tools
              .connector()
              .connect(
                  new InetSocketAddress(address, candidate.port()),
                  candidate.host(),
                  mode(hop.tls()),
                  remaining(end));
      switch (result) {
        case ConnectResult.Connected(SmtpConnection open) -> {
          return new Attempt(Optional.of(open), "", "", false);
        }
        // RFC 5321 §3.1 and §4.2.1: a server that does not want to talk is not the last word on
        // the mail; the next server is asked, and later this one again.
        case ConnectResult.Refused(Reply reply, String stage) ->
            last =
                new Attempt(
                    Optional.empty(),
                    reply.permanentFailure() ? "4.3.2" : reply.enhancedOr("4.3.2"),
                    reply.toString(),
                    true);
        case ConnectResult.Failed(String why) -> last = Attempt.failed("4.4.1", why);
        case ConnectResult.Untrusted(String why) -> last = Attempt.failed("4.7.5", why);
      }
    }
    return last;
  }

  private boolean mayReach(InetAddress address) {
    return switch (hop.reach()) {
      case ANY -> true;
      case PUBLIC ->
          !InsideAddresses.contain(address)
              || Network.anyContains(tools.insideExchangers(), address);
    };
  }

  private Answer<InetAddress> addresses(String host) {
    try {
      return new Answer.Found<>(List.of(InetAddress.ofLiteral(host)));
    } catch (IllegalArgumentException e) {
      // A name then.
    }
    Answer<InetAddress> four = tools.resolver().a(host);
    Answer<InetAddress> six = tools.resolver().aaaa(host);
    List<InetAddress> all = new ArrayList<>(four.orNone());
    all.addAll(six.orNone());
    if (!all.isEmpty()) {
      return new Answer.Found<>(all);
    }
    return four instanceof Answer.Failure<InetAddress> ? four : six;
  }

  private static TlsMode mode(Route.Tls tls) {
    return switch (tls) {
      case OFF -> TlsMode.OFF;
      case OPPORTUNISTIC -> TlsMode.OPPORTUNISTIC;
      case VERIFIED -> TlsMode.VERIFIED;
    };
  }

  private void sayGoodbye(SmtpConnection old) {
    tools.goodbyes().add(1);
    Thread _ =
        Thread.ofVirtual()
            .name("delivery-quit")
            .start(
                () -> {
                  try {
                    old.quit(QUIT_LIMIT);
                  } finally {
                    tools.goodbyes().done(1);
                  }
                });
  }

  @Override
  public void close() {
    SmtpConnection open = connection;
    connection = null;
    if (open != null) {
      open.quit(QUIT_LIMIT);
    }
  }
}
