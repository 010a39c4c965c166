package net.postern.intake;

import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import net.postern.address.EmailAddress;
import net.postern.config.DeliveryConfig;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.filter.Finding;
import net.postern.filter.Judgement;
import net.postern.filter.Noted;
import net.postern.filter.Pipeline;
import net.postern.filter.Sample;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryKey;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.Dispatcher;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.Ledger;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.RecordJson;
import net.postern.policy.Disposition;
import net.postern.policy.Policy;
import net.postern.tenant.Customer;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.Recipient;
import net.postern.tenant.Submitter;
import net.postern.vault.Kept;
import net.postern.vault.MessageFrame;
import net.postern.vault.MessageVault;
import net.postern.vault.VaultUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Judge, decide, keep, record: the four steps between the last byte of a message and its reply, in
 * that order, on the session's own thread.
 *
 * <p>The reply is due when the vault has the message. The ledger's record follows on its own
 * thread; it is held back only by a bounded queue, and found again in the vault if the process dies
 * before it is written ({@link Reconciler}).
 */
public final class MessageIntake implements Intake {
  private static final Logger LOG = LoggerFactory.getLogger(MessageIntake.class);

  /**
   * Longest explanation in a reply, in characters: a reply line has 512 octets (RFC 5321
   * §4.5.3.1.5).
   */
  private static final int MAX_EXPLANATION = 300;

  private final String hostname;
  private final Pipeline pipeline;
  private final DatabaseDirectory directory;
  private final MessageVault vault;
  private final Ledger ledger;
  private final Dispatcher dispatcher;
  private final Events events;
  private final Clock clock;
  private final Duration giveUp;
  private final Duration lease;

  public MessageIntake(
      String hostname,
      DeliveryConfig delivery,
      Pipeline pipeline,
      DatabaseDirectory directory,
      MessageVault vault,
      Ledger ledger,
      Dispatcher dispatcher,
      Events events,
      Clock clock) {
    this.hostname = hostname;
    this.giveUp = delivery.giveUp();
    this.lease = delivery.lease();
    this.pipeline = pipeline;
    this.directory = directory;
    this.vault = vault;
    this.ledger = ledger;
    this.dispatcher = dispatcher;
    this.events = events;
    this.clock = clock;
  }

  @Override
  public IntakeResult accept(Envelope envelope, byte[] received) throws InterruptedException {
    long start = System.nanoTime();
    if (!ledger.accepting()) {
      return new IntakeResult.Refused(
          451,
          "4.3.0",
          "The message database is busy or away; please try again later",
          MailEvent.Reason.DATABASE_UNAVAILABLE);
    }
    MessageId id = MessageId.create();
    byte[] content = withTrace(envelope, id, received);
    Instant now = clock.instant();
    Judgement judgement = pipeline.judge(sample(envelope, content, now));

    List<Decision> decisions = new ArrayList<>();
    for (Map.Entry<Alike, List<Recipient>> entry : alike(envelope, judgement).entrySet()) {
      Customer customer;
      try {
        customer = directory.customer(entry.getKey().customer());
      } catch (IllegalStateException e) {
        LOG.warn("no policy for {}: {}", entry.getKey().customer(), e.getMessage());
        return new IntakeResult.Refused(
            451,
            "4.3.0",
            "The recipients' settings cannot be read now; please try again later",
            MailEvent.Reason.DATABASE_UNAVAILABLE);
      }
      Judgement theirs =
          judgement.waiving(entry.getKey().waived()).with(own(envelope, entry.getValue()));
      Disposition disposition = Policy.decide(theirs, customer);
      // What is of some recipients alone weighs nothing: only waivers make a difference.
      Disposition unwaived =
          entry.getKey().waived().isEmpty() ? disposition : Policy.decide(judgement, customer);
      decisions.add(new Decision(customer, entry.getValue(), theirs, disposition, unwaived));
    }
    Optional<IntakeResult.Refused> no = refusal(decisions);
    if (no.isPresent()) {
      return no.get();
    }

    boolean hot = dispatcher.reserve(waiting(decisions), content.length);
    boolean handedOver = false;
    try {
      List<MessageRecord> records = records(envelope, id, content.length, decisions, hot, now);
      Kept kept =
          vault.keep(new MessageFrame(id, holders(envelope), RecordJson.encode(records), content));
      List<MessageRecord> placed = records.stream().map(record -> record.at(kept.place())).toList();
      Runnable committed = hot ? () -> dispatcher.dispatch(hot(placed, content)) : () -> {};
      // Not awaited: the vault has it, and what the ledger cannot enter is found there again.
      CompletableFuture<Void> _ =
          ledger
              .record(placed, committed)
              .whenComplete(
                  (done, failure) -> {
                    if (failure != null) {
                      LOG.error(
                          "message {} is in the vault but not in the ledger yet", id, failure);
                      if (hot) {
                        dispatcher.cancel(waiting(decisions), content.length);
                      }
                    }
                  });
      handedOver = true;
      accepted(envelope, id, content.length, decisions, kept, start);
      return new IntakeResult.Accepted(id);
    } catch (VaultUnavailableException e) {
      LOG.error("message {} was not taken: {}", id, e.getMessage());
      return new IntakeResult.Refused(
          451,
          "4.3.0",
          "The message could not be stored safely; please try again later",
          MailEvent.Reason.STORES_UNAVAILABLE);
    } finally {
      if (hot && !handedOver) {
        dispatcher.cancel(waiting(decisions), content.length);
      }
    }
  }

  /**
   * Recipients for whom a message weighs the same: of one customer, who waived the same findings.
   */
  private record Alike(CustomerId customer, Map<String, String> waived) {}

  /**
   * What was decided for such recipients.
   *
   * @param unwaived what it would be had they waived nothing
   */
  private record Decision(
      Customer customer,
      List<Recipient> recipients,
      Judgement judgement,
      Disposition disposition,
      Disposition unwaived) {}

  private static Map<Alike, List<Recipient>> alike(Envelope envelope, Judgement judgement) {
    Set<String> weighing = new HashSet<>();
    for (Finding finding : judgement.findings()) {
      if (finding.score() != 0) {
        weighing.add(finding.name());
      }
    }
    Map<Alike, List<Recipient>> alike = new LinkedHashMap<>();
    for (Recipient recipient : envelope.recipients()) {
      Map<String, String> waived = new HashMap<>(0);
      for (Envelope.Note note : envelope.notes()) {
        String why = note.waived().get(recipient.address().key());
        if (why != null && weighing.contains(note.name())) {
          waived.put(note.name(), why);
        }
      }
      alike
          .computeIfAbsent(new Alike(recipient.customer(), waived), key -> new ArrayList<>())
          .add(recipient);
    }
    return alike;
  }

  // What is of a recipient stands where the recipient's customer alone sees it.
  private static List<Noted> own(Envelope envelope, List<Recipient> recipients) {
    return envelope.notes().stream()
        .filter(
            note -> recipients.stream().anyMatch(each -> note.of().contains(each.address().key())))
        .map(note -> new Noted(note.name(), note.detail()))
        .toList();
  }

  private static Sample sample(Envelope envelope, byte[] content, Instant now) {
    return new Sample(
        // Where a user who logged in sits says nothing about the mail.
        envelope.submitter().filter(each -> each.kind() == Submitter.Kind.USER).isPresent()
            ? Optional.empty()
            : Optional.of(envelope.client()),
        envelope.helo(),
        envelope.reversePath(),
        envelope.recipients().stream().map(Recipient::address).toList(),
        content,
        now,
        envelope.notes().stream()
            .filter(note -> note.of().isEmpty())
            .map(note -> new Noted(note.name(), note.detail()))
            .toList());
  }

  private byte[] withTrace(Envelope envelope, MessageId id, byte[] received) {
    // A first line that begins with a blank would continue our own field: it is text then, and the
    // header ends before it.
    boolean folds = received.length > 0 && (received[0] == ' ' || received[0] == '\t');
    // RFC 7208 §9.1: above the Received field of the server that checked.
    String field =
        envelope.spf() + ReceivedField.of(envelope, hostname, id) + (folds ? "\r\n" : "");
    byte[] trace = field.getBytes(StandardCharsets.UTF_8);
    byte[] content = new byte[trace.length + received.length];
    System.arraycopy(trace, 0, content, 0, trace.length);
    System.arraycopy(received, 0, content, trace.length, received.length);
    return content;
  }

  // A 5xx only when every recipient's policy says so: one reply stands for all of them.
  private static Optional<IntakeResult.Refused> refusal(List<Decision> decisions) {
    boolean allRefuse = true;
    for (Decision decision : decisions) {
      if (decision.disposition() instanceof Disposition.Wait) {
        return Optional.of(
            new IntakeResult.Refused(
                451,
                "4.7.1",
                "The message cannot be checked now; please try again later",
                MailEvent.Reason.CONTENT));
      }
      allRefuse &= decision.disposition() instanceof Disposition.Refuse;
    }
    if (!allRefuse) {
      return Optional.empty();
    }
    String why = ((Disposition.Refuse) decisions.getFirst().disposition()).why();
    String text = "Message refused by content policy (" + why + ")";
    return Optional.of(
        new IntakeResult.Refused(
            550,
            "5.7.1",
            text.length() <= MAX_EXPLANATION ? text : text.substring(0, MAX_EXPLANATION),
            MailEvent.Reason.CONTENT));
  }

  private static int waiting(List<Decision> decisions) {
    int count = 0;
    for (Decision decision : decisions) {
      if (goesOut(decision.disposition())) {
        count += decision.recipients().size();
      }
    }
    return count;
  }

  private static boolean goesOut(Disposition disposition) {
    return switch (disposition) {
      case Disposition.Deliver() -> true;
      case Disposition.Flag flag -> true;
      case Disposition.Hold hold -> false;
      case Disposition.Refuse refuse -> false;
      case Disposition.Wait wait -> false;
    };
  }

  // One for each customer, by what weighed most for any of its recipients.
  private List<MessageRecord> records(
      Envelope envelope,
      MessageId id,
      int bytes,
      List<Decision> decisions,
      boolean hot,
      Instant now) {
    List<MessageRecord> records = new ArrayList<>();
    for (List<Decision> theirs : byCustomer(decisions)) {
      List<MessageRecord.NewDelivery> deliveries = new ArrayList<>();
      for (Decision decision : theirs) {
        for (Recipient recipient : decision.recipients()) {
          deliveries.add(delivery(recipient, decision.disposition(), hot, now));
        }
      }
      Decision gravest = gravest(theirs);
      records.add(
          new MessageRecord(
              gravest.customer().id(),
              id,
              now,
              MessageRecord.Origin.SMTP,
              MessageRecord.UNPLACED,
              bytes,
              envelope.utf8(),
              envelope.reversePath(),
              envelope.client().getHostAddress(),
              envelope.helo(),
              verdict(gravest.disposition()),
              gravest.judgement().score(),
              findings(gravest.judgement()),
              deliveries));
    }
    return records;
  }

  private static List<List<Decision>> byCustomer(List<Decision> decisions) {
    Map<CustomerId, List<Decision>> byCustomer = new LinkedHashMap<>();
    for (Decision decision : decisions) {
      byCustomer.computeIfAbsent(decision.customer().id(), key -> new ArrayList<>(1)).add(decision);
    }
    return List.copyOf(byCustomer.values());
  }

  // The one that weighed most; the first of equals.
  private static Decision gravest(List<Decision> theirs) {
    Decision gravest = theirs.getFirst();
    for (Decision decision : theirs) {
      gravest = decision.judgement().score() > gravest.judgement().score() ? decision : gravest;
    }
    return gravest;
  }

  private MessageRecord.NewDelivery delivery(
      Recipient recipient, Disposition disposition, boolean hot, Instant now) {
    DeliveryState out = hot ? DeliveryState.IN_PROGRESS : DeliveryState.WAITING;
    return switch (disposition) {
      case Disposition.Deliver() -> delivery(recipient, out, "", now, "", "");
      case Disposition.Flag flag ->
          delivery(recipient, out, "", now, flag.header(), flag.subjectTag());
      case Disposition.Hold hold ->
          delivery(recipient, DeliveryState.HELD, hold.why(), now, "", "");
      // Others take the message, so it cannot be refused for this one alone: it is held.
      case Disposition.Refuse refuse ->
          delivery(recipient, DeliveryState.HELD, refuse.why(), now, "", "");
      case Disposition.Wait wait ->
          throw new IllegalStateException("a message that waits is not recorded");
    };
  }

  private MessageRecord.NewDelivery delivery(
      Recipient recipient,
      DeliveryState state,
      String rule,
      Instant now,
      String mark,
      String subjectTag) {
    return new MessageRecord.NewDelivery(
        recipient.address(), recipient.mailbox(), state, rule, now.plus(giveUp), mark, subjectTag);
  }

  private static List<MessageFrame.Holder> holders(Envelope envelope) {
    return envelope.recipients().stream()
        .map(recipient -> new MessageFrame.Holder(recipient.customer(), recipient.mailbox()))
        .distinct()
        .toList();
  }

  private List<LeasedDelivery> hot(List<MessageRecord> records, byte[] content) {
    Instant leaseUntil = clock.instant().plus(lease);
    List<LeasedDelivery> deliveries = new ArrayList<>();
    for (MessageRecord each : records) {
      for (int number = 0; number < each.deliveries().size(); number++) {
        MessageRecord.NewDelivery delivery = each.deliveries().get(number);
        if (delivery.state() == DeliveryState.IN_PROGRESS) {
          deliveries.add(
              new LeasedDelivery(
                  new DeliveryKey(each.customer(), each.id(), number),
                  each.place(),
                  delivery.mailbox(),
                  each.reversePath(),
                  delivery.recipient(),
                  each.acceptedAt(),
                  delivery.giveUpAt(),
                  1,
                  leaseUntil,
                  each.bytes(),
                  each.utf8(),
                  delivery.mark(),
                  delivery.subjectTag(),
                  Optional.of(content)));
        }
      }
    }
    return deliveries;
  }

  private static String verdict(Disposition disposition) {
    return switch (disposition) {
      case Disposition.Deliver() -> "PASS";
      case Disposition.Flag flag -> "FLAG";
      case Disposition.Hold hold -> "QUARANTINE";
      case Disposition.Refuse refuse -> "REJECT";
      case Disposition.Wait wait -> "WAIT";
    };
  }

  /** {@code NAME=score} separated by spaces. */
  private static String findings(Judgement judgement) {
    StringBuilder out = new StringBuilder();
    for (Finding finding : judgement.findings()) {
      if (!out.isEmpty()) {
        out.append(' ');
      }
      out.append(finding.name())
          .append('=')
          .append(String.format(Locale.ROOT, "%.1f", finding.score()));
    }
    return out.toString();
  }

  private void accepted(
      Envelope envelope,
      MessageId id,
      long bytes,
      List<Decision> decisions,
      Kept kept,
      long start) {
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    for (List<Decision> theirs : byCustomer(decisions)) {
      Decision gravest = gravest(theirs);
      events.emit(
          new MailEvent.Accepted(
              id,
              gravest.customer().id(),
              peer(envelope),
              reversePath(envelope),
              theirs.stream()
                  .flatMap(each -> each.recipients().stream())
                  .map(each -> each.address().toString())
                  .toList(),
              bytes,
              verdict(gravest.disposition()),
              verdict(gravest.unwaived()),
              gravest.judgement().score(),
              gravest.judgement().findings().stream().map(Finding::name).toList(),
              kept.copies(),
              took));
    }
    for (Decision decision : decisions) {
      String held =
          switch (decision.disposition()) {
            case Disposition.Hold hold -> hold.why();
            case Disposition.Refuse refuse -> refuse.why();
            case Disposition.Deliver deliver -> "";
            case Disposition.Flag flag -> "";
            case Disposition.Wait wait -> "";
          };
      if (!held.isEmpty()) {
        for (Recipient recipient : decision.recipients()) {
          events.emit(
              new MailEvent.Held(
                  id,
                  decision.customer().id(),
                  recipient.address().toString(),
                  decision.judgement().score(),
                  held));
        }
      }
    }
  }

  private static MailEvent.Peer peer(Envelope envelope) {
    return new MailEvent.Peer(envelope.client().getHostAddress(), envelope.helo(), envelope.tls());
  }

  private static String reversePath(Envelope envelope) {
    return envelope.reversePath().map(EmailAddress::toString).orElse("");
  }
}
