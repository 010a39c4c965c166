package net.postern.ledger;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.vault.Place;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

/**
 * The records of a message as JSON, kept inside its frame: what the ledger says of a message when
 * it is accepted can be read back from the vault alone. Keys are added, never changed.
 */
public final class RecordJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
  private static final ObjectWriter WRITER = MAPPER.writerFor(Meta.class);
  private static final ObjectReader READER = MAPPER.readerFor(Meta.class);

  private RecordJson() {}

  private record Meta(int version, List<Message> records) {}

  private record Message(
      String customer,
      String id,
      long acceptedMillis,
      String origin,
      long bytes,
      boolean utf8,
      @Nullable String reversePath,
      String client,
      String helo,
      String verdict,
      double score,
      String findings,
      List<Delivery> deliveries) {}

  private record Delivery(
      String recipient,
      String mailbox,
      String state,
      String rule,
      long giveUpMillis,
      String mark,
      String subjectTag) {}

  /**
   * Writes the records of one message. Their places are left out: the frame's own place is theirs.
   */
  public static byte[] encode(List<MessageRecord> records) {
    List<Message> out = new ArrayList<>(records.size());
    for (MessageRecord each : records) {
      List<Delivery> deliveries = new ArrayList<>(each.deliveries().size());
      for (MessageRecord.NewDelivery delivery : each.deliveries()) {
        deliveries.add(
            new Delivery(
                delivery.recipient().toString(),
                delivery.mailbox().toString(),
                delivery.state().name(),
                delivery.rule(),
                delivery.giveUpAt().toEpochMilli(),
                delivery.mark(),
                delivery.subjectTag()));
      }
      out.add(
          new Message(
              each.customer().toString(),
              each.id().toString(),
              each.acceptedAt().toEpochMilli(),
              each.origin().name(),
              each.bytes(),
              each.utf8(),
              each.reversePath().map(EmailAddress::toString).orElse(null),
              each.client(),
              each.helo(),
              each.verdict(),
              each.score(),
              each.findings(),
              deliveries));
    }
    return WRITER.writeValueAsBytes(new Meta(1, out));
  }

  /**
   * Reads what {@link #encode} wrote.
   *
   * @param place of the frame it was read from
   * @throws IllegalArgumentException when the bytes are something else
   */
  public static List<MessageRecord> decode(byte[] json, Place place) {
    try {
      Meta meta = READER.readValue(json);
      if (meta.version() != 1) {
        throw new IllegalArgumentException(
            "record of version " + meta.version() + "; this program knows 1");
      }
      return records(meta, place);
    } catch (JacksonException | NullPointerException e) {
      // JSON has null where the records have none.
      throw new IllegalArgumentException(
          "the record inside a frame is damaged: " + e.getMessage(), e);
    }
  }

  private static List<MessageRecord> records(Meta meta, Place place) {
    List<MessageRecord> records = new ArrayList<>();
    for (Message each : meta.records()) {
      List<MessageRecord.NewDelivery> deliveries = new ArrayList<>();
      for (Delivery delivery : each.deliveries()) {
        deliveries.add(
            new MessageRecord.NewDelivery(
                address(delivery.recipient()),
                MailboxId.parse(delivery.mailbox()),
                DeliveryState.valueOf(delivery.state()),
                delivery.rule(),
                Instant.ofEpochMilli(delivery.giveUpMillis()),
                delivery.mark(),
                delivery.subjectTag()));
      }
      records.add(
          new MessageRecord(
              CustomerId.parse(each.customer()),
              MessageId.parse(each.id()),
              Instant.ofEpochMilli(each.acceptedMillis()),
              MessageRecord.Origin.valueOf(each.origin()),
              place,
              each.bytes(),
              each.utf8(),
              Optional.ofNullable(each.reversePath()).map(RecordJson::address),
              each.client(),
              each.helo(),
              each.verdict(),
              each.score(),
              each.findings(),
              deliveries));
    }
    return records;
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text)
        .orElseThrow(() -> new IllegalArgumentException("no address in a record: " + text));
  }
}
