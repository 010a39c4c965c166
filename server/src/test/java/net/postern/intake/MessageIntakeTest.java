package net.postern.intake;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.blob.FaultyStore.Mood;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.MessageView;
import net.postern.ledger.RecordJson;
import net.postern.tenant.Recipient;
import net.postern.tenant.Submitter;
import net.postern.testkit.Await;
import net.postern.vault.MessageFrame;
import net.postern.vault.Place;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MessageIntakeTest {
  @TempDir Path temp;
  private IntakeWorld world;

  @BeforeEach
  void open() throws Exception {
    world = new IntakeWorld(temp);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static MessageId accepted(IntakeResult result) {
    return assertInstanceOf(IntakeResult.Accepted.class, result).id();
  }

  private List<MessageView> entered(MessageId id) {
    Await.until(() -> !world.queries.find(id).isEmpty());
    return world.queries.find(id);
  }

  private long count(Class<? extends MailEvent> kind) {
    return world.stores.events.stream().filter(kind::isInstance).count();
  }

  /** Promise 1: each store alone has the whole message, and enough to enter it again. */
  @Test
  void acceptedMeansInEveryStore() throws Exception {
    MessageId id = accepted(world.send("hello", "ann@mild.example", "bob@mild.example"));
    List<MessageView> views = entered(id);
    assertEquals(2, views.size());
    Place place = views.getFirst().place();
    for (int store = 0; store < 3; store++) {
      MessageFrame frame = world.stores.alone(store).read(place);
      String text = new String(frame.content(), StandardCharsets.US_ASCII);
      assertTrue(text.startsWith("Received: from client.example ([192.0.2.7])"), text);
      assertTrue(text.endsWith("Subject: test\r\n\r\nhello\r\n"), text);
      assertEquals(2, RecordJson.decode(frame.meta(), place).getFirst().deliveries().size());
    }
    Await.until(() -> world.room.dispatchedCount() == 2);
    assertEquals(0, world.room.deliveries.get());
    assertEquals(0, world.difference());
  }

  /**
   * What a user sends elsewhere is the user's: customer, key and account; not where the user sits.
   */
  @Test
  void whatIsSentElsewhereIsKeptForTheSender() throws Exception {
    Recipient ann = world.recipient("ann@mild.example");
    Submitter user =
        new Submitter(Submitter.Kind.USER, ann.customer(), ann.mailbox(), ann.address().toString());
    Envelope seen = world.envelope("laptop.example", "bob@mild.example");
    Envelope sent =
        new Envelope(
            seen.client(),
            "",
            "laptop.example",
            "ESMTPSA",
            "TLSv1.3",
            Optional.of(ann.address()),
            List.of(
                seen.recipients().getFirst(),
                new Recipient(
                    EmailAddress.parse("eve@elsewhere.example").orElseThrow(),
                    ann.customer(),
                    ann.mailbox())),
            false,
            List.of(),
            "",
            seen.receivedAt(),
            Optional.of(user),
            true);
    byte[] content = "Subject: test\r\n\r\nhello\r\n".getBytes(StandardCharsets.US_ASCII);
    MessageId id = accepted(world.intake().accept(sent, content));
    List<MessageView> views = entered(id);
    assertEquals(2, views.size());
    assertTrue(views.stream().allMatch(each -> each.key().customer().equals(ann.customer())));
    String text =
        new String(
            world.stores.alone(1).read(views.getFirst().place()).content(),
            StandardCharsets.US_ASCII);
    assertTrue(text.startsWith("Received: from [127.0.0.1]\r\n\t(using TLSv1.3)"), text);
    assertTrue(text.contains(" with ESMTPSA id "), text);
    assertFalse(text.contains("192.0.2.7") || text.contains("laptop.example"), text);
    Await.until(() -> world.room.dispatchedCount() == 2);
    assertEquals(0, world.difference());
  }

  private Envelope noted(List<Envelope.Note> notes, String... recipients) {
    Envelope plain = world.envelope("client.example", recipients);
    return new Envelope(
        plain.client(),
        plain.clientName(),
        plain.helo(),
        plain.protocol(),
        plain.tls(),
        plain.reversePath(),
        plain.recipients(),
        plain.utf8(),
        notes,
        plain.receivedAt());
  }

  private static MessageView of(List<MessageView> views, String recipient) {
    return views.stream()
        .filter(each -> each.recipient().toString().equals(recipient))
        .findFirst()
        .orElseThrow();
  }

  /** A safelist, or a switch, is of one recipient: the others' mail weighs what it weighs. */
  @Test
  void whatARecipientWaivedWeighsNothingForThatOneAlone() throws Exception {
    String why = "a safelist of the recipient's has the sender";
    Envelope envelope =
        noted(
            List.of(
                new Envelope.Note(
                    "ORDERED",
                    "",
                    Map.of("ann@strict.example", why, "ann@mild.example", why),
                    Set.of()),
                new Envelope.Note(
                    "SAFELISTED", "of a user", Map.of(), Set.of("ann@strict.example"))),
            "ann@strict.example",
            "bob@strict.example",
            "ann@mild.example",
            "bob@mild.example");
    byte[] content = "Subject: test\r\n\r\nscore 5\r\n".getBytes(StandardCharsets.US_ASCII);
    MessageId id = accepted(world.intake().accept(envelope, content));
    List<MessageView> views = entered(id);
    assertEquals(4, views.size());
    assertEquals(DeliveryState.HELD, of(views, "bob@strict.example").state());
    assertTrue(
        of(views, "ann@strict.example").state() != DeliveryState.HELD, "it was held all the same");
    Await.until(() -> world.room.dispatchedCount() == 3);
    for (LeasedDelivery each : world.room.dispatched) {
      boolean flagged = each.recipient().toString().equals("bob@mild.example");
      assertEquals(flagged, !each.mark().isEmpty(), each.recipient() + ": " + each.mark());
    }
    List<MailEvent.Accepted> told =
        world.stores.events.stream()
            .filter(MailEvent.Accepted.class::isInstance)
            .map(MailEvent.Accepted.class::cast)
            .toList();
    // One for each customer, of what weighed most.
    assertEquals(List.of(5.0, 5.0), told.stream().map(each -> each.score()).toList());
    assertEquals(
        List.of(
            List.of("ann@strict.example", "bob@strict.example"),
            List.of("ann@mild.example", "bob@mild.example")),
        told.stream().map(each -> each.recipients()).toList());
    assertEquals(0, world.difference());
  }

  /** Mail that somebody takes only because of a waiver does not speak for who sent it. */
  @Test
  void aWaiverMakesNoGoodName() throws Exception {
    List<Envelope.Note> notes =
        List.of(
            new Envelope.Note("ORDERED", "", Map.of("ann@strict.example", "why"), Set.of()),
            new Envelope.Note("SAFELISTED", "of a user", Map.of(), Set.of("ann@strict.example")));
    for (String score : List.of("score 5", "score 0")) {
      byte[] content =
          ("Subject: test\r\n\r\n" + score + "\r\n").getBytes(StandardCharsets.US_ASCII);
      accepted(
          world.intake().accept(noted(notes, "ann@strict.example", "ann@mild.example"), content));
    }
    List<MailEvent.Accepted> told =
        world.stores.events.stream()
            .filter(MailEvent.Accepted.class::isInstance)
            .map(MailEvent.Accepted.class::cast)
            .toList();
    assertEquals(4, told.size());
    assertEquals("PASS", told.get(0).verdict());
    assertEquals("QUARANTINE", told.get(0).unwaived());
    // The controls: a customer that waived nothing, and mail that weighs nothing.
    assertEquals(told.get(1).verdict(), told.get(1).unwaived());
    assertEquals("PASS", told.get(2).unwaived());
    // Who has whom on a safelist is nobody else's business.
    assertEquals(
        List.of(true, false, true, false),
        told.stream().map(each -> each.findings().contains("SAFELISTED")).toList());
  }

  @Test
  void whatIsSwitchedOffRefusesNobody() throws Exception {
    byte[] content = "Subject: test\r\n\r\nscore 7\r\n".getBytes(StandardCharsets.US_ASCII);
    Map<String, String> waived = Map.of("ann@strict.example", "switched off");
    assertInstanceOf(
        IntakeResult.Accepted.class,
        world
            .intake()
            .accept(
                noted(
                    List.of(new Envelope.Note("ORDERED", "", waived, Set.of())),
                    "ann@strict.example"),
                content));
    // The controls: the same for another recipient, and another finding.
    assertInstanceOf(
        IntakeResult.Refused.class,
        world
            .intake()
            .accept(
                noted(
                    List.of(new Envelope.Note("ORDERED", "", waived, Set.of())),
                    "bob@strict.example"),
                content));
    assertInstanceOf(
        IntakeResult.Refused.class,
        world
            .intake()
            .accept(
                noted(
                    List.of(new Envelope.Note("OTHER", "", waived, Set.of())),
                    "ann@strict.example"),
                content));
  }

  @Test
  void oneFailingStoreMeansTwoCopiesAndAnAlarm() throws Exception {
    world.stores.vault();
    world.stores.stores.get(2).mood(Mood.READ_ONLY);
    MessageId id = accepted(world.send("hello", "ann@mild.example"));
    MailEvent.Accepted event =
        world.stores.events.stream()
            .filter(MailEvent.Accepted.class::isInstance)
            .map(MailEvent.Accepted.class::cast)
            .findFirst()
            .orElseThrow();
    assertEquals(2, event.copies());
    assertEquals(1, count(MailEvent.StoreHealth.class));
    assertEquals(2, world.stores.copies(entered(id).getFirst().place()));
  }

  @Test
  void twoFailingStoresMeanThatNothingHappened() throws Exception {
    world.stores.vault();
    world.stores.stores.get(0).mood(Mood.READ_ONLY);
    world.stores.stores.get(2).mood(Mood.READ_ONLY);
    IntakeResult.Refused refused =
        assertInstanceOf(IntakeResult.Refused.class, world.send("hello", "ann@mild.example"));
    assertEquals(451, refused.code());
    assertEquals(MailEvent.Reason.STORES_UNAVAILABLE, refused.reason());
    assertEquals(0, count(MailEvent.Accepted.class));
    assertEquals(0, world.accepted());
    assertEquals(0, world.room.deliveries.get(), "the room is given back");
    assertEquals(0, world.room.bytes.get());
  }

  /** One message, two customers, each by its own settings; refused only when all refuse. */
  @Test
  void eachCustomersSettingsDecideForItsRecipients() throws Exception {
    MessageId held = accepted(world.send("score 5 ", "ann@mild.example", "bob@strict.example"));
    for (MessageView view : entered(held)) {
      boolean strict = view.recipient().endsWith("@strict.example");
      assertEquals(strict ? DeliveryState.HELD : DeliveryState.IN_PROGRESS, view.state());
      assertEquals(strict ? "QUARANTINE" : "FLAG", view.verdict());
    }
    Await.until(() -> world.room.dispatchedCount() == 1);
    assertTrue(world.room.dispatched.getFirst().mark().contains("X-Spam-Flag: YES\r\n"));
    assertEquals("[spam]", world.room.dispatched.getFirst().subjectTag());

    // One refuses, the other takes it: no 5xx, and nothing is dropped.
    MessageId mixed = accepted(world.send("score 7 ", "ann@mild.example", "bob@strict.example"));
    assertEquals(
        List.of(DeliveryState.HELD),
        entered(mixed).stream()
            .filter(view -> view.verdict().equals("REJECT"))
            .map(MessageView::state)
            .toList());
    IntakeResult.Refused refused =
        assertInstanceOf(
            IntakeResult.Refused.class,
            world.send("score 7 ", "ann@strict.example", "bob@strict.example"));
    assertEquals(550, refused.code());
    assertTrue(refused.text().contains("ORDERED"), refused::text);
    Await.until(() -> world.room.dispatchedCount() == 2);
    assertEquals(0, world.room.deliveries.get());
    assertEquals(0, world.difference());
  }

  /** Promise 5: what is down is never clean. */
  @Test
  void aMessageThatCannotBeCheckedWaitsWithItsSender() throws Exception {
    IntakeResult.Refused refused =
        assertInstanceOf(
            IntakeResult.Refused.class,
            world.send("scanner away", "ann@mild.example", "ann@strict.example"));
    assertEquals(451, refused.code());
    assertEquals(0, world.accepted());
    accepted(world.send("scanner there", "ann@mild.example"));
  }

  @Test
  void withoutRoomTheDeliveriesWait() throws Exception {
    world.room.full = true;
    MessageId id = accepted(world.send("hello", "ann@mild.example"));
    assertEquals(DeliveryState.WAITING, entered(id).getFirst().state());
    assertEquals(0, world.room.dispatchedCount());
    assertEquals(0, world.room.deliveries.get());
  }

  /** The ledger closes on a message that the vault has: the room comes back, the message too. */
  @Test
  void whatTheLedgerCannotEnterGivesItsRoomBackAndIsFoundAgain() throws Exception {
    // The settings are asked first: from then on they are at hand.
    accepted(world.send("first", "ann@mild.example"));
    Await.until(() -> world.room.dispatchedCount() == 1);
    Envelope envelope = world.envelope("client.example", "ann@mild.example");
    TestDatabase.takeAway(world.database);
    MessageId id =
        accepted(world.intake().accept(envelope, "\r\n\r\nx".getBytes(StandardCharsets.UTF_8)));
    assertEquals(1, world.room.deliveries.get());
    Await.until(world.ledger::away);
    world.restart();
    assertEquals(0, world.room.deliveries.get());
    assertEquals(0, world.room.bytes.get());
    TestDatabase.bringBack(world.database);
    assertEquals(List.of(), world.queries.find(id));
    assertEquals(1, world.reconciler().run().entered());
    assertEquals(DeliveryState.WAITING, entered(id).getFirst().state());
    assertEquals(0, world.difference());
  }

  /** What a client says of itself cannot add a field, a comment or a second hop. */
  @Test
  void theReceivedFieldCannotBeInjectedInto() throws Exception {
    for (String helo :
        List.of(
            "a\r\nX-Evil: yes",
            "a\n b",
            "a (by mx.trusted.example)",
            "a; Thu, 1 Jan 1970 00:00:00 +0000",
            "\"a",
            "a\\",
            "a<b>",
            "ä\u0000\u0085\u2028",
            "",
            "x".repeat(5_000))) {
      byte[] content = "Subject: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
      MessageId id =
          accepted(world.intake().accept(world.envelope(helo, "ann@mild.example"), content));
      byte[] kept = world.stores.vault().read(entered(id).getFirst().place()).content();
      String text = new String(kept, StandardCharsets.UTF_8);
      String field = text.substring(0, text.indexOf("Subject: "));
      assertTrue(field.startsWith("Received: from "), field);
      for (String line : field.split("\r\n")) {
        assertTrue(line.startsWith("Received: ") || line.startsWith("\t"), field);
        assertTrue(line.length() <= 998, "RFC 5322 line length");
        assertTrue(line.chars().allMatch(c -> c == '\t' || (c >= 0x20 && c < 0x7f)), field);
      }
      assertEquals(field.indexOf(';'), field.lastIndexOf(';'), field);
      assertEquals(field.indexOf(" by "), -1, field);
      assertFalse(field.contains("\"") || field.contains("\\"), field);
      assertArrayEquals(content, text.substring(field.length()).getBytes(StandardCharsets.UTF_8));
    }
  }

  /** A first line that begins with a blank is text: it must not continue our own field. */
  @Test
  void aFirstLineWithABlankDoesNotContinueTheReceivedField() throws Exception {
    for (String first : List.of(" by mx.trusted.example; x", "\t(checked)")) {
      byte[] content = (first + "\r\nSubject: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
      MessageId id =
          accepted(world.intake().accept(world.envelope("a", "ann@mild.example"), content));
      byte[] kept = world.stores.vault().read(entered(id).getFirst().place()).content();
      String text = new String(kept, StandardCharsets.UTF_8);
      assertTrue(text.endsWith("\r\n\r\n" + first + "\r\nSubject: x\r\n\r\n"), text);
    }
  }
}
