package net.postern.keys;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/**
 * What the key records of a store say about whom they are for. It is less than the settings say:
 * enough to find customers and mailboxes again where a store has nothing better.
 */
public final class KeyLabels {

  /** A customer by its key record. */
  public record Customer(CustomerId id, String name) {}

  /**
   * A mailbox by its key record.
   *
   * @param label the address it was made for; {@code *@domain} for one that takes a whole domain
   */
  public record Mailbox(CustomerId customer, MailboxId id, String label) {}

  /**
   * All of a store.
   *
   * @param unreadable one line for each record that could not be read
   */
  public record All(List<Customer> customers, List<Mailbox> mailboxes, List<String> unreadable) {}

  private KeyLabels() {}

  /**
   * Reads every key record of a store.
   *
   * @throws IOException when the store cannot be listed
   */
  static All read(ObjectStore store, KeyRing keys) throws IOException {
    List<Customer> customers = new ArrayList<>();
    List<Mailbox> mailboxes = new ArrayList<>();
    List<String> unreadable = new ArrayList<>();
    List<KeyRecord> records = new ArrayList<>();
    store.list(
        "keys",
        each -> {
          try {
            UUID id =
                KeyRecord.id(each.object())
                    .orElseThrow(() -> new UntrustedKeyException("its name is no key's"));
            KeyRecord record = KeyRecord.decode(id, Replicas.read(store, each.object()));
            if (!record.isTombstone()) {
              records.add(record);
            }
          } catch (IOException e) {
            unreadable.add(each.object() + ": " + e.getMessage());
          }
        });
    for (KeyRecord record : records) {
      try {
        switch (record.kind()) {
          case CUSTOMER ->
              customers.add(
                  new Customer(new CustomerId(record.id()), label(record, keys.above(record))));
          case MAILBOX ->
              mailboxes.add(
                  new Mailbox(
                      new CustomerId(record.parentId()),
                      new MailboxId(record.id()),
                      label(record, keys.above(record))));
          case SYSTEM -> {}
        }
      } catch (KeyErasedException e) {
        // Of a customer that was erased: nobody is to know its mailboxes.
      } catch (IOException e) {
        unreadable.add(KeyRecord.object(record.id()) + ": " + e.getMessage());
      }
    }
    return new All(customers, mailboxes, unreadable);
  }

  private static String label(KeyRecord record, SecretKeySpec above) throws UntrustedKeyException {
    return new String(record.label(above), StandardCharsets.UTF_8);
  }
}
