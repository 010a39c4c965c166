package net.postern.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import net.postern.config.ObserveConfig.LogFormat;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Peer;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class MailLogTest {
  private static final Reference REFERENCE =
      new Reference(
          Optional.of(MailEvent.Reason.UNKNOWN_USER),
          java.time.Instant.parse("2026-01-01T00:00:00Z"),
          1);

  private static final MessageId ID = MessageId.parse("0199d8a4-0000-7000-8000-000000000001");
  private static final CustomerId CUSTOMER =
      CustomerId.parse("11111111-2222-4333-8444-555555555555");
  private static final Peer PEER = new Peer("192.0.2.7", "mail.example.org", "TLSv1.3");

  private final MailLog text = new MailLog(LogFormat.TEXT);
  private final MailLog json = new MailLog(LogFormat.JSON);
  private final JsonMapper mapper = new JsonMapper();

  private static MailEvent accepted(String from, List<String> to, String helo) {
    return new MailEvent.Accepted(
        ID,
        CUSTOMER,
        new Peer("192.0.2.7", helo, ""),
        from,
        to,
        8192,
        "FLAG",
        "FLAG",
        4.5,
        List.of("SUBJECT_CAPITALS", "DATE_MISSING"),
        3,
        Duration.ofMillis(4));
  }

  private static MailEvent refused(String recipient, String reply) {
    return new MailEvent.Refused(
        MailEvent.Stage.RCPT,
        MailEvent.Reason.UNKNOWN_USER,
        550,
        "5.1.1",
        reply,
        PEER,
        "",
        recipient,
        Optional.empty(),
        REFERENCE);
  }

  @Test
  void anAcceptedMessageIsOneLineThatSaysItAll() {
    assertEquals(
        "event=accepted id=0199d8a4-0000-7000-8000-000000000001"
            + " customer=11111111-2222-4333-8444-555555555555 from=<a@example.org>"
            + " to=<b@example.com>,<c@example.com> client=192.0.2.7 helo=mail.example.org"
            + " bytes=8192 verdict=FLAG score=4.50 findings=SUBJECT_CAPITALS,DATE_MISSING"
            + " copies=3 ms=4",
        text.line(
            accepted(
                "a@example.org", List.of("b@example.com", "c@example.com"), "mail.example.org")));
  }

  @Test
  void aRefusalSaysWhy() {
    assertEquals(
        "event=refused stage=rcpt reason=unknown_user code=550 enhanced=5.1.1"
            + " text=\"no such user\" client=192.0.2.7 helo=mail.example.org tls=TLSv1.3 from=<>"
            + " to=<who@example.com> ref="
            + REFERENCE,
        text.line(refused("who@example.com", "no such user")));
  }

  @Test
  void noSenderCanForgeAFieldOrALine() {
    String line =
        text.line(
            accepted(
                "x\" verdict=PASS y@example.org",
                List.of("a>,<boss@example.com", "b@example.com"),
                "evil\r\n2026-01-01 event=accepted id=1\u2028\u202e\u001b[2J"));
    assertEquals(1, line.lines().count(), line);
    assertEquals(line.indexOf("event=accepted"), line.indexOf("event="), line);
    assertTrue(line.contains("from=\"<x\\\" verdict=PASS y@example.org>\""), line);
    assertTrue(
        line.contains("to=\"<a\\u003e\\u002c\\u003cboss@example.com>,<b@example.com>\""), line);
    assertTrue(line.contains("helo=\"evil\\u000d\\n2026-01-01 event=accepted id=1\\u2028"), line);
    assertTrue(line.contains("\\u202e\\u001b[2J\""), line);
    // The real verdict stands outside quotes, once.
    assertEquals(1, line.split(" verdict=FLAG ", -1).length - 1, line);
  }

  @Test
  void ordinaryForeignTextStaysReadable() {
    assertTrue(
        text.line(accepted("köln@example.org", List.of("b@example.com"), "mx"))
            .contains("from=\"<köln@example.org>\""));
  }

  @Test
  void longValuesAndListsAreCut() {
    String line = text.line(refused("who@example.com", "x".repeat(100_000)));
    assertTrue(line.length() < 2_000, () -> "length " + line.length());
    assertTrue(line.contains("xxx...\" client="), line);

    List<String> many = IntStream.range(0, 1000).mapToObj(i -> i + "@example.com").toList();
    String list = text.line(accepted("a@example.org", many, "mx"));
    assertTrue(list.contains("<49@example.com>,+950 client="), list);
  }

  @Test
  void jsonHoldsTheSameAndIsValidForAnyValue() {
    String nasty = "a\"b\\c\r\n\u0000\u2028\ud800 }{";
    JsonNode node =
        mapper.readTree("{" + json.line(accepted(nasty, List.of(nasty, "b@c"), nasty)) + "}");
    assertEquals("accepted", node.get("event").asString());
    assertEquals(nasty, node.get("from").asString());
    assertEquals(nasty, node.get("to").get(0).asString());
    assertEquals(4.5, node.get("score").asDouble());
    assertEquals(3, node.get("copies").asInt());
    assertEquals("DATE_MISSING", node.get("findings").get(1).asString());
  }

  @Test
  void everyEventHasALineInBothForms() {
    List<MailEvent> events =
        List.of(
            accepted("a@b.example", List.of("c@d.example"), "mx"),
            refused("", ""),
            new MailEvent.Held(ID, CUSTOMER, "a@b.example", -7.005, "score"),
            new MailEvent.Released(ID, CUSTOMER, "a@b.example", "admin"),
            new MailEvent.Removed(ID, CUSTOMER, "a@b.example", "expired"),
            new MailEvent.Delivered(
                ID, CUSTOMER, "a@b.example", "smtp:x:25", "250 ok", 1, Duration.ofSeconds(2)),
            new MailEvent.Deferred(
                ID, CUSTOMER, "a@b.example", "smtp:x:25", "451 later", 2, Instant.EPOCH),
            new MailEvent.Returned(
                ID, CUSTOMER, "a@b.example", "smtp:x:25", "550 no", 3, Optional.of(ID)),
            new MailEvent.StoreHealth("one", false, "disk full"));
    for (MailEvent event : events) {
      String line = text.line(event);
      String name = line.substring(0, line.indexOf(' '));
      assertTrue(name.startsWith("event="), line);
      JsonNode node = mapper.readTree("{" + json.line(event) + "}");
      assertEquals(name, "event=" + node.get("event").asString());
      for (String field : node.propertyNames()) {
        assertTrue((" " + line).contains(" " + field + "="), field + " is not in: " + line);
      }
    }
    assertFalse(text.line(events.get(1)).contains(" to="), "no recipient, no field");
    assertTrue(text.line(events.get(2)).contains("score=-7.0"), text.line(events.get(2)));
  }
}
