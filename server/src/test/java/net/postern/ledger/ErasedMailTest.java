package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.tenant.Erasures;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ending what erased mailboxes left, in a ledger that is large. */
class ErasedMailTest {
  private final Database database = TestDatabase.open();
  private final ErasedMail mail = new ErasedMail(database);
  private final CustomerId customer = new CustomerId(new UUID(1, 1));
  private final MailboxId mailbox = new MailboxId(new UUID(2, 1));
  private final Erasures.Erased erased = new Erasures.Erased(customer, Optional.of(mailbox));

  /** 60,000 deliveries of 10 customers with 100 mailboxes each; 100 are held and 100 wait. */
  @BeforeEach
  void fill() {
    run(
        """
        insert into delivery (customer_id, message_id, number, mailbox_id, recipient, state, due_at,
          give_up_at)
        select ('00000000-0000-0001-0000-' || lpad(to_hex(n % 10), 12, '0'))::uuid,
          gen_random_uuid(), 0, ('00000000-0000-0002-0000-' || lpad(to_hex(n % 1000), 12, '0'))::uuid,
          'user@example.com',
          case when n % 600 = 1 then 2 when n % 600 = 2 then 0 else 3 end,
          now() - n * interval '1 second', now()
        from generate_series(1, 60000) n""");
    run("analyze delivery");
  }

  @AfterEach
  void close() {
    database.close();
  }

  private void run(String sql, Object... arguments) {
    database.jdbi().useHandle(handle -> handle.execute(sql, arguments));
  }

  private String plan(String which, Object... ids) {
    List<Object> arguments = new ArrayList<>(List.of(ids));
    arguments.addAll(List.of(1_000, "rule", "rule"));
    return String.join(
        "\n",
        database.rows(
            "explain " + ErasedMail.REMOVE.formatted(which),
            row -> row.getString(1),
            arguments.toArray()));
  }

  /** It is asked every ten seconds for a day: nothing may read the whole table. */
  @Test
  void everyStatementUsesAnIndex() {
    String[] customers = {customer.toString()};
    String[] mailboxes = {mailbox.toString()};
    List<String> plans =
        List.of(
            plan(ErasedMail.OF_MAILBOXES, customers, mailboxes),
            plan(ErasedMail.OF_CUSTOMERS, (Object) customers),
            plan(ErasedMail.LEFT_OF_MAILBOXES, customers, mailboxes),
            plan(ErasedMail.LEFT_OF_CUSTOMERS, (Object) customers));
    for (String plan : plans) {
      assertFalse(plan.contains("Seq Scan on delivery"), plan);
    }
    assertTrue(plans.get(0).contains("delivery_of_mailbox"), plans.get(0));
    assertTrue(plans.get(2).contains("delivery_due"), plans.get(2));
    run("drop index delivery_of_mailbox, delivery_due, delivery_held");
    run("alter table delivery drop constraint delivery_pkey");
    String without = plan(ErasedMail.OF_MAILBOXES, customers, mailboxes);
    assertTrue(without.contains("Seq Scan on delivery"), "the control: " + without);
  }

  @Test
  void whatIsOpenEndsInSmallTransactionsAndNothingElseDoes() {
    run(
        "update delivery set customer_id = ?, mailbox_id = ? where number = 0 and state = 3",
        customer.value(),
        mailbox.value());
    run(
        "update delivery set state = 2 where state = 3 and message_id in (select message_id from delivery where state = 3 limit 2500)");
    ErasedMail.Open open = mail.open(erased);
    List<Integer> batches = new ArrayList<>();
    long ended = mail.remove(List.of(erased), batch -> batches.add(batch.size()));
    assertEquals(open.held() + open.waiting(), ended);
    assertTrue(ended >= 2_500, "ended " + ended);
    assertTrue(batches.stream().allMatch(size -> size <= 1_000), batches::toString);
    assertEquals(new ErasedMail.Open(0, 0), mail.open(erased));
    assertEquals(0, mail.remove(List.of(erased), batch -> {}));
    ErasedMail.Open others =
        mail.open(new Erasures.Erased(new CustomerId(new UUID(1, 2)), Optional.empty()));
    assertTrue(others.waiting() > 0, "the control: other customers' wait on");
  }
}
