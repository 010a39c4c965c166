package net.postern.delivery;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import net.postern.address.EmailAddress;
import net.postern.delivery.DeliveryResult.Delivered;
import net.postern.delivery.DeliveryResult.Diagnosis;
import net.postern.delivery.DeliveryResult.Permanent;
import net.postern.delivery.DeliveryResult.Transient;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryLedger;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.RecordJson;
import net.postern.ledger.Settlement;
import net.postern.vault.Kept;
import net.postern.vault.MessageFrame;
import net.postern.vault.MessageVault;
import net.postern.vault.VaultUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what attempts came to into ledger entries, events and reports. Safe for many threads; does
 * not wait for the ledger, and leaves reports to a thread of their own.
 */
final class Settler {
  private static final Logger LOG = LoggerFactory.getLogger(Settler.class);

  /** How long a report waits for memory to read its message into before it is put off. */
  private static final Duration MEMORY_WAIT = Duration.ofSeconds(30);

  private final DeliveryLedger ledger;
  private final MessageVault vault;
  private final Events events;
  private final InstantSource clock;
  private final RetrySchedule schedule;
  private final String hostname;
  private final Duration giveUp;
  private final ReadRoom memory;
  private final Outstanding unsettled;
  private final Consumer<Instant> onDue;

  /**
   * @param giveUp how long a report is tried
   * @param memory for the messages that reports are about
   * @param unsettled counts each delivery down when its outcome is committed
   * @param onDue told when something that was entered will be due
   */
  Settler(
      DeliveryLedger ledger,
      MessageVault vault,
      Events events,
      InstantSource clock,
      RetrySchedule schedule,
      String hostname,
      Duration giveUp,
      ReadRoom memory,
      Outstanding unsettled,
      Consumer<Instant> onDue) {
    this.ledger = ledger;
    this.vault = vault;
    this.events = events;
    this.clock = clock;
    this.schedule = schedule;
    this.hostname = hostname;
    this.giveUp = giveUp;
    this.memory = memory;
    this.unsettled = unsettled;
    this.onDue = onDue;
  }

  /** A delivery that ends without success, and what the report to the sender says of it. */
  private record Failed(LeasedDelivery delivery, Report.Failure failure) {
    static Failed of(LeasedDelivery delivery, Diagnosis why, boolean gaveUp) {
      return new Failed(delivery, new Report.Failure(delivery.recipient(), why, gaveUp));
    }
  }

  /** The same for all recipients of the job. */
  void settleAll(Job job, String route, DeliveryResult result) {
    settle(job, route, Collections.nCopies(job.deliveries().size(), result));
  }

  /**
   * @param results one for each delivery, in their order
   */
  void settle(Job job, String route, List<DeliveryResult> results) {
    Instant now = clock.instant();
    List<Failed> failed = new ArrayList<>(0);
    for (int i = 0; i < results.size(); i++) {
      LeasedDelivery delivery = job.deliveries().get(i);
      switch (results.get(i)) {
        case Delivered(String reply) -> delivered(job, delivery, route, reply, now);
        case Transient(Diagnosis why) -> {
          Optional<Instant> next = schedule.next(delivery.attempt(), now, delivery.giveUpAt());
          if (next.isPresent()) {
            deferred(job, delivery, route, why, next.get());
          } else {
            failed.add(Failed.of(delivery, why, true));
          }
        }
        case Permanent(Diagnosis why) -> failed.add(Failed.of(delivery, why, false));
      }
    }
    if (!failed.isEmpty()) {
      returned(job, route, failed, now);
    }
  }

  /** Puts the job off because too much waits before it. */
  void putOff(Job job, String route, Instant until, String why) {
    Instant now = clock.instant();
    Diagnosis diagnosis = Diagnosis.own("4.3.2", why);
    for (LeasedDelivery delivery : job.deliveries()) {
      if (isOver(delivery, now)) {
        letGo(job, now);
      } else if (now.isBefore(delivery.giveUpAt())) {
        deferred(job, delivery, route, diagnosis, until);
      } else {
        returned(job, route, List.of(Failed.of(delivery, diagnosis, true)), now);
      }
    }
  }

  /** Gives the job back as it was. */
  void unattempted(Job job) {
    for (LeasedDelivery delivery : job.deliveries()) {
      unattempted(job, delivery);
    }
  }

  /** Gives one delivery of the job back as it was. */
  void unattempted(Job job, LeasedDelivery delivery) {
    Instant now = clock.instant();
    if (isOver(delivery, now)) {
      letGo(job, now);
    } else {
      enter(job, new Settlement.Unattempted(delivery.key()));
    }
  }

  private static boolean isOver(LeasedDelivery delivery, Instant now) {
    return !now.isBefore(delivery.leaseUntil());
  }

  // A lease that ran out while its job waited may have been given again, to this very node even,
  // and the ledger cannot tell the two apart: to enter anything would end the lease of the attempt
  // that goes on now, and a third would begin beside it. Without an entry the delivery is due.
  private void letGo(Job job, Instant now) {
    job.done(1);
    unsettled.done(1);
    onDue.accept(now);
  }

  private void delivered(
      Job job, LeasedDelivery delivery, String route, String reply, Instant now) {
    events.emit(
        new MailEvent.Delivered(
            delivery.key().message(),
            delivery.key().customer(),
            delivery.recipient().toString(),
            route,
            reply,
            delivery.attempt(),
            Duration.between(delivery.acceptedAt(), now)));
    enter(job, new Settlement.Delivered(delivery.key(), reply));
  }

  private void deferred(
      Job job, LeasedDelivery delivery, String route, Diagnosis why, Instant next) {
    events.emit(
        new MailEvent.Deferred(
            delivery.key().message(),
            delivery.key().customer(),
            delivery.recipient().toString(),
            route,
            why.line(),
            delivery.attempt(),
            next));
    enter(job, new Settlement.Retry(delivery.key(), why.line(), next), () -> onDue.accept(next));
  }

  private void returned(Job job, String route, List<Failed> failed, Instant now) {
    Optional<EmailAddress> sender = job.first().reversePath();
    // RFC 5321 §4.5.5: never a notification about a notification.
    if (sender.isEmpty()) {
      enterReturned(job, route, failed, Optional.empty());
      return;
    }
    // Keeping a report waits for disks; the worker's connection has better to do.
    Thread _ =
        Thread.ofVirtual()
            .name("delivery-report")
            .start(() -> report(job, route, failed, sender.get(), now));
  }

  private void report(
      Job job, String route, List<Failed> failed, EmailAddress sender, Instant now) {
    try {
      MessageRecord record = keep(job, failed, sender, now);
      enterReturned(job, route, failed, Optional.of(record));
    } catch (VaultUnavailableException e) {
      postpone(job, route, failed, now, "the report to the sender cannot be kept now");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      postpone(job, route, failed, now, "interrupted");
    } catch (RuntimeException e) {
      LOG.error("no report about {}", job.first().key(), e);
      postpone(job, route, failed, now, "the report to the sender failed");
    }
  }

  // Without its report a message may not end: the sender would never know.
  private void postpone(Job job, String route, List<Failed> failed, Instant now, String why) {
    for (Failed each : failed) {
      LeasedDelivery delivery = each.delivery();
      Diagnosis before = each.failure().why();
      Instant next = schedule.next(delivery.attempt(), now, Instant.MAX).orElse(now.plus(giveUp));
      deferred(
          job, delivery, route, Diagnosis.own("4.3.0", why + "; before: " + before.line()), next);
    }
  }

  private MessageRecord keep(Job job, List<Failed> all, EmailAddress sender, Instant now)
      throws VaultUnavailableException, InterruptedException {
    MessageId id = MessageId.create();
    LeasedDelivery failed = all.getFirst().delivery();
    List<Report.Failure> failures = all.stream().map(Failed::failure).toList();
    byte[] message;
    long bytes = job.bytesToRead();
    if (!memory.take(bytes, MEMORY_WAIT)) {
      throw new VaultUnavailableException("too much is being read from it now");
    }
    try {
      message =
          new Report(id, hostname, sender, failed.acceptedAt(), now, failures, job.content(vault))
              .message();
    } finally {
      memory.giveBack(bytes);
    }
    Instant giveUpAt = now.plus(giveUp);
    MessageRecord record =
        new MessageRecord(
            failed.key().customer(),
            id,
            now,
            MessageRecord.Origin.REPORT,
            MessageRecord.UNPLACED,
            message.length,
            sender.needsUtf8() || failures.stream().anyMatch(f -> f.recipient().needsUtf8()),
            Optional.empty(),
            "",
            hostname,
            "PASS",
            0,
            "",
            List.of(
                new MessageRecord.NewDelivery(
                    sender, failed.mailbox(), DeliveryState.WAITING, "", giveUpAt, "", "")));
    Kept kept =
        vault.keep(
            new MessageFrame(
                id,
                List.of(new MessageFrame.Holder(failed.key().customer(), failed.mailbox())),
                RecordJson.encode(List.of(record)),
                message));
    return record.at(kept.place());
  }

  private void enterReturned(
      Job job, String route, List<Failed> failed, Optional<MessageRecord> report) {
    Optional<MessageRecord> unentered = report;
    for (Failed each : failed) {
      LeasedDelivery delivery = each.delivery();
      String reply = each.failure().why().line();
      events.emit(
          new MailEvent.Returned(
              delivery.key().message(),
              delivery.key().customer(),
              delivery.recipient().toString(),
              route,
              reply,
              delivery.attempt(),
              report.map(MessageRecord::id)));
      // One report tells of them all, so it is entered once, with the first.
      Runnable then = unentered.isPresent() ? () -> onDue.accept(clock.instant()) : () -> {};
      enter(job, new Settlement.Returned(delivery.key(), reply, unentered), then);
      unentered = Optional.empty();
    }
  }

  private void enter(Job job, Settlement settlement) {
    enter(job, settlement, () -> {});
  }

  private void enter(Job job, Settlement settlement, Runnable then) {
    job.done(1);
    try {
      var _ =
          ledger
              .settle(settlement)
              .whenComplete(
                  (_, _) -> {
                    unsettled.done(1);
                    then.run();
                  });
    } catch (RuntimeException e) {
      // The lease runs out and the delivery is attempted again.
      LOG.error("outcome of {} was not entered", settlement.key(), e);
      unsettled.done(1);
    }
  }
}
