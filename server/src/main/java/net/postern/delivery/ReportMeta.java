package net.postern.delivery;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The envelope of a report, as its frame in the vault carries it. */
final class ReportMeta {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private ReportMeta() {}

  static byte[] of(
      MessageId id,
      CustomerId customer,
      MailboxId mailbox,
      EmailAddress recipient,
      Instant acceptedAt,
      Instant giveUpAt) {
    ObjectNode root = JSON.createObjectNode();
    root.put("id", id.toString());
    root.put("origin", "REPORT");
    root.put("acceptedAt", acceptedAt.toString());
    root.put("reversePath", "");
    root.put("utf8", recipient.needsUtf8());
    ObjectNode delivery = root.putArray("deliveries").addObject();
    delivery.put("customer", customer.toString());
    delivery.put("mailbox", mailbox.toString());
    delivery.put("recipient", recipient.toString());
    delivery.put("giveUpAt", giveUpAt.toString());
    return JSON.writeValueAsString(root).getBytes(StandardCharsets.UTF_8);
  }
}
