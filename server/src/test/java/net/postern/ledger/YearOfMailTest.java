package net.postern.ledger;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.ledger.Keepers.Keeper;
import net.postern.tenant.LegalHold;
import net.postern.testkit.Await;
import net.postern.vault.Compactor;
import net.postern.vault.Place;
import net.postern.vault.StoreChoice;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A year of mail by a simulated clock: mail that is passed on (kept 14 days), that is kept for 30
 * days, for seven years, in a mailbox until someone deletes it, and in quarantine; legal holds are
 * set and released; compaction goes on all the time. A model says what must be readable and what
 * must be gone; the stores are measured against it at every step.
 */
class YearOfMailTest {
  private static final int DAYS = 365;
  private static final Duration PASS = Duration.ofHours(6);
  private static final Duration BOUND = Duration.ofDays(30);
  private static final int SAMPLE = 20;

  @TempDir Path temp;

  @Test
  void aYearOfLittleMail() throws Exception {
    new Year(20, 1 << 20).run();
  }

  @Test
  @Tag("long")
  void aYearOfMail() throws Exception {
    new Year(200, 1 << 20).run();
  }

  /** What the model knows of a message. */
  private static final class Mail {
    final MessageId id;
    final MailboxId mailbox;
    final int length;

    /** Until when its delivery keeps it, which ended when it came. */
    final Instant delivered;

    /** When the last of its keepers lets go; moved when someone deletes it. */
    Instant end;

    /** When something is done with it by someone: deleted from a mailbox or the quarantine. */
    Optional<Instant> touched = Optional.empty();

    boolean inQuarantine;

    /** Since when nothing keeps it. */
    Optional<Instant> deadSince = Optional.empty();

    Mail(MessageId id, MailboxId mailbox, int length, Instant end) {
      this.id = id;
      this.mailbox = mailbox;
      this.length = length;
      this.delivered = end;
      this.end = end;
    }
  }

  private final class Year {
    private final Random random = new Random(7);
    private final int perDay;
    private final RetentionWorld world;
    private final List<Mail> mails = new ArrayList<>();
    private final Compactor compactor;
    private Optional<LegalHold> mailboxHold = Optional.empty();
    private Optional<LegalHold> customerHold = Optional.empty();
    private long accepted;
    private long goneChecked;
    private double worst;
    private double sum;
    private int measured;

    Year(int perDay, long segmentBytes) throws Exception {
      this.perDay = perDay;
      this.world = new RetentionWorld(temp, segmentBytes);
      this.compactor = world.compactor(StoreChoice.of(world.stores.stores), world.retention);
    }

    void run() throws Exception {
      try (world) {
        for (int day = 0; day < DAYS; day++) {
          day(day);
        }
        report();
        assertTrue(worst < 2, "bytes in a store for each byte kept: at worst " + worst);
        assertTrue(goneChecked > perDay * DAYS / 3, "only " + goneChecked + " were to go");
        assertEquals(0, world.difference());
        sevenYearsLater();
      }
    }

    private void day(int day) throws Exception {
      holds(day);
      arrivals();
      noteEnded();
      for (int pass = 0; pass < 4; pass++) {
        people();
        measure();
        // Days go by in milliseconds here: a store that was slow once must not lack mail for weeks.
        Await.until(() -> world.stores.vault().upkeep().isIdle());
        compactor.pass();
        measure();
        world.clock.advance(PASS);
      }
      bury();
      sample();
      if (day % 30 == 29) {
        everything();
      }
    }

    private void holds(int day) throws Exception {
      switch (day) {
        case 60 -> mailboxHold = Optional.of(hold(Optional.of(world.stores.other)));
        case 150 -> mailboxHold = release(mailboxHold);
        case 200 -> customerHold = Optional.of(hold(Optional.empty()));
        case 230 -> customerHold = release(customerHold);
        default -> {}
      }
    }

    private LegalHold hold(Optional<MailboxId> mailbox) throws Exception {
      bury();
      LegalHold hold = world.holds.set(world.customer(), mailbox, "a case");
      // What was dead and is still there is kept from now on, as long as the hold stands.
      Set<MessageId> there = places().keySet();
      mails.stream()
          .filter(mail -> there.contains(mail.id) && hold.covers(hold.customer(), mail.mailbox))
          .forEach(mail -> mail.deadSince = Optional.empty());
      return hold;
    }

    // Where the ledger says that each message is which is not gone. Asked for all at once: a
    // question for each message would take most of the test's time.
    private Map<MessageId, Place> places() {
      Map<MessageId, Place> places = new HashMap<>();
      world.database.rows(
          "select id, segment, frame_offset, frame_length from message where dropped_at is null",
          row ->
              places.put(
                  new MessageId(row.getObject(1, UUID.class)),
                  new Place(row.getObject(2, UUID.class), row.getLong(3), row.getInt(4))));
      return places;
    }

    private Optional<LegalHold> release(Optional<LegalHold> hold) throws Exception {
      world.holds.release(hold.orElseThrow().id());
      return Optional.empty();
    }

    private boolean isHeld(Mail mail) {
      return customerHold.isPresent()
          || (mailboxHold.isPresent() && mail.mailbox.equals(world.stores.other));
    }

    private void arrivals() throws Exception {
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < perDay; i++) {
        int kind = random.nextInt(100);
        int bytes = 200 + random.nextInt(3_000);
        int days = 1 + random.nextInt(60);
        MailboxId mailbox = random.nextInt(10) < 7 ? world.stores.mailbox : world.stores.other;
        threads.add(Thread.ofVirtual().start(() -> arrive(kind, bytes, days, mailbox)));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(perDay, mails.stream().filter(mail -> mail.length > 0).count() - before);
      before = mails.size();
    }

    private int before;

    private void arrive(int kind, int bytes, int days, MailboxId mailbox) {
      try {
        boolean quarantine = kind >= 97;
        RetentionWorld.Sent sent =
            world.send(
                bytes,
                List.of(world.stores.customer),
                mailbox,
                quarantine ? DeliveryState.HELD : DeliveryState.REMOVED);
        sent.entered().get();
        Instant now = world.clock.instant();
        Mail mail =
            new Mail(
                sent.id(),
                mailbox,
                world.place(sent.id()).length(),
                now.plus(RetentionWorld.KEEP_FINISHED));
        if (quarantine) {
          mail.end = Instant.MAX;
          mail.inQuarantine = true;
          mail.touched = Optional.of(now.plus(Duration.ofDays(days)));
        } else if (kind >= 85) {
          keep(mail, "mailbox", Optional.empty());
          mail.touched = Optional.of(now.plus(Duration.ofDays(days)));
        } else if (kind >= 65) {
          keep(mail, "archive", Optional.of(now.plus(Duration.ofDays(7 * 365))));
        } else if (kind >= 45) {
          keep(mail, "archive", Optional.of(now.plus(Duration.ofDays(30))));
        }
        synchronized (mails) {
          mails.add(mail);
          accepted += mail.length;
        }
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    private void keep(Mail mail, String kind, Optional<Instant> until) {
      assertTrue(
          world.keepers.add(
              world.stores.customer, mail.id, new Keeper(kind, Optional.of(mail.mailbox), until)));
      mail.end = until.orElse(Instant.MAX);
    }

    // What the reconciler does while a node runs.
    private void noteEnded() {
      world.stores.vault().endOld();
      for (var segment : world.stores.vault().ended()) {
        world.segments.markRecorded(segment);
        world.stores.vault().forget(segment);
      }
    }

    // Someone deletes what is in a mailbox or the quarantine.
    private void people() {
      Instant now = world.clock.instant();
      for (Mail mail : mails) {
        if (mail.touched.isPresent() && !mail.touched.get().isAfter(now)) {
          if (mail.inQuarantine) {
            world.sql(
                "update delivery set state = 5, due_at = ? where message_id = ?",
                Timestamp.from(now),
                mail.id.value());
            mail.end = now.plus(RetentionWorld.KEEP_FINISHED);
          } else {
            assertTrue(
                world.keepers.remove(
                    world.stores.customer, mail.id, "mailbox", Optional.of(mail.mailbox)));
            // Whoever deletes it within days does not end what its delivery keeps it for.
            mail.end = mail.delivered.isAfter(now) ? mail.delivered : now;
          }
          mail.touched = Optional.empty();
        }
      }
    }

    private boolean isLive(Mail mail) {
      return mail.deadSince.isEmpty() && (mail.end.isAfter(world.clock.instant()) || isHeld(mail));
    }

    private void measure() throws Exception {
      long live = 0;
      for (Mail mail : mails) {
        live += isLive(mail) ? mail.length : 0;
      }
      double amplification = (double) world.stores.segmentBytes(0) / live;
      worst = Math.max(worst, amplification);
      sum += amplification;
      measured++;
    }

    // Notes what has died, and looks whether what has been dead for the bound is gone.
    private void bury() throws Exception {
      Instant now = world.clock.instant();
      Set<MessageId> overdue = new HashSet<>();
      for (Mail mail : mails) {
        if (mail.deadSince.isEmpty() && !isLive(mail)) {
          mail.deadSince = Optional.of(mail.end.isAfter(now) ? now : later(mail.end, now));
        }
        if (mail.deadSince.isPresent() && !mail.deadSince.get().plus(BOUND).isAfter(now)) {
          overdue.add(mail.id);
        }
      }
      if (!overdue.isEmpty()) {
        Set<MessageId> there = world.stores.frames(random.nextInt(3)).keySet();
        for (Mail mail : mails) {
          if (overdue.contains(mail.id)) {
            assertFalse(
                there.contains(mail.id),
                () -> "dead since %s, and there at %s: %s".formatted(mail.deadSince, now, mail.id));
          }
        }
        mails.removeIf(mail -> overdue.contains(mail.id));
        before = mails.size();
        goneChecked += overdue.size();
      }
    }

    // A hold that ended within the last day: dead since then at the earliest.
    private Instant later(Instant end, Instant now) {
      Instant yesterday = now.minus(Duration.ofDays(1));
      return end.isBefore(yesterday) ? yesterday : end;
    }

    private void sample() throws Exception {
      List<Mail> live = mails.stream().filter(this::isLive).toList();
      Map<MessageId, Place> places = places();
      for (int i = 0; i < Math.min(SAMPLE, live.size()); i++) {
        Mail mail = live.get(random.nextInt(live.size()));
        Place place = requireNonNull(places.get(mail.id), "gone by the ledger: " + mail.id);
        assertTrue(world.stores.vault().read(place).content().length > 0);
      }
    }

    private void everything() throws Exception {
      Map<MessageId, Place> places = places();
      for (int store = 0; store < 3; store++) {
        var frames = world.stores.frames(store);
        for (Mail mail : mails) {
          if (isLive(mail)) {
            Place place = places.get(mail.id);
            assertNotNull(place, () -> "the ledger says that it is gone: " + mail.id);
            assertTrue(
                frames.getOrDefault(mail.id, List.of()).contains(place),
                "not where the ledger says: " + mail.id);
          }
        }
      }
    }

    private void report() throws Exception {
      long live = mails.stream().filter(this::isLive).mapToLong(mail -> mail.length).sum();
      System.out.printf(
          "%d messages, %,d bytes accepted; at the end %,d kept in %d segments%n"
              + "bytes in a store for each byte kept: at most %.3f, on average %.3f (%d times)%n"
              + "bytes written by compaction for each byte accepted: %.3f%n"
              + "%d dead messages were looked for and gone%n%s%n",
          perDay * DAYS,
          accepted,
          live,
          world.stores.segments(0).size(),
          worst,
          sum / measured,
          measured,
          (double) compactor.stats().copiedBytes() / accepted,
          goneChecked,
          compactor.stats());
    }

    // Nothing is kept for ever but what people have not deleted.
    private void sevenYearsLater() throws Exception {
      for (int month = 0; month < 7 * 12 + 8; month++) {
        world.clock.advance(Duration.ofDays(30));
        people();
        noteEnded();
        compactor.pass();
        world.clock.advance(RetentionWorld.GRACE);
        compactor.pass();
      }
      for (int store = 0; store < 3; store++) {
        assertEquals(Set.of(), world.stores.frames(store).keySet());
      }
      assertEquals(0, world.difference());
    }
  }
}
