package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.vault.Place;
import org.junit.jupiter.api.Test;

class RecordJsonTest {
  private static final Place PLACE = new Place(UUID.randomUUID(), 40, 1_000);

  @Provide
  Arbitrary<EmailAddress> addresses() {
    Arbitrary<String> locals =
        Arbitraries.strings()
            .withCharRange('!', '~')
            .withChars(' ', 'ä', '日', '.')
            .ofMinLength(1)
            .ofMaxLength(20);
    Arbitrary<String> domains =
        Arbitraries.of("example.com", "[192.0.2.1]", "[IPv6:2001:db8::1]", "xn--bcher-kva.example");
    return Combinators.combine(locals, domains)
        .as(
            (local, domain) ->
                EmailAddress.parse(
                    "\"" + local.replace("\\", "\\\\").replace("\"", "\\\"") + "\"@" + domain))
        .filter(Optional::isPresent)
        .map(Optional::get);
  }

  /** What intake enters can be read back from the frame alone, whatever strangers wrote into it. */
  @Property(tries = 300)
  void recordsComeBack(
      @ForAll("addresses") EmailAddress sender,
      @ForAll boolean nullSender,
      @ForAll("addresses") EmailAddress recipient,
      @ForAll DeliveryState state,
      @ForAll String helo,
      @ForAll String rule,
      @ForAll @IntRange(min = 0, max = 3) int more,
      @ForAll double score) {
    List<MessageRecord> records = new ArrayList<>();
    MessageId id = MessageId.create();
    String text = new String(helo.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    String why = new String(rule.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    for (int i = 0; i <= more; i++) {
      List<MessageRecord.NewDelivery> deliveries = new ArrayList<>();
      for (int n = 0; n <= i; n++) {
        deliveries.add(
            new MessageRecord.NewDelivery(
                recipient,
                MailboxId.create(),
                state,
                why,
                Instant.ofEpochMilli(System.currentTimeMillis() + n),
                "X-Spam-Flag: YES\r\n",
                "[spam] "));
      }
      records.add(
          new MessageRecord(
              CustomerId.create(),
              id,
              Instant.ofEpochMilli(1_700_000_000_123L),
              i % 2 == 0 ? MessageRecord.Origin.SMTP : MessageRecord.Origin.REPORT,
              PLACE,
              i,
              i % 2 == 1,
              nullSender ? Optional.empty() : Optional.of(sender),
              "2001:db8::1",
              text,
              "FLAG",
              Double.isFinite(score) ? score : 1,
              "A=1 B=2",
              deliveries));
    }
    assertEquals(records, RecordJson.decode(RecordJson.encode(records), PLACE));
  }

  @Test
  void whatIsNoRecordIsRefusedAndUnknownKeysAreNot() {
    byte[] good = RecordJson.encode(List.of());
    assertEquals(List.of(), RecordJson.decode(good, PLACE));
    List<byte[]> bad =
        List.of(
            new byte[0],
            Arrays.copyOf(good, good.length - 1),
            "{\"version\":2,\"records\":[]}".getBytes(StandardCharsets.UTF_8),
            "{\"version\":1}".getBytes(StandardCharsets.UTF_8),
            "null".getBytes(StandardCharsets.UTF_8),
            "{\"version\":1,\"records\":[{}]}".getBytes(StandardCharsets.UTF_8),
            "{\"version\":1,\"records\":[null]}".getBytes(StandardCharsets.UTF_8));
    for (byte[] each : bad) {
      assertThrows(
          IllegalArgumentException.class, () -> RecordJson.decode(each, PLACE), new String(each));
    }
    byte[] newer = "{\"version\":1,\"later\":true,\"records\":[]}".getBytes(StandardCharsets.UTF_8);
    assertEquals(List.of(), RecordJson.decode(newer, PLACE));
  }
}
