package net.postern.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.events.Reference;
import org.junit.jupiter.api.Test;

class RefusalTraceTest {
  private static final MailEvent.Reason REASON = MailEvent.Reason.CONTENT;

  private static MailEvent.Refused refusal(Reference reference, String recipient) {
    return new MailEvent.Refused(
        MailEvent.Stage.DATA,
        REASON,
        550,
        "5.7.1",
        "This looks like spam",
        new MailEvent.Peer("192.0.2.7", "client.example", ""),
        "sender@example.net",
        recipient,
        Optional.empty(),
        reference);
  }

  @Test
  void aReferenceFindsItsRefusalAndNoOther() {
    Reference one = new Reference(Optional.of(REASON), Instant.now(), 1);
    Reference other = new Reference(Optional.of(REASON), Instant.now(), 2);
    try (Database database = TestDatabase.open()) {
      try (RefusalTrace trace = new RefusalTrace(database)) {
        trace.emit(refusal(one, "ann@example.com"));
        trace.emit(refusal(one, "bea@example.com"));
        trace.emit(refusal(other, "carl@example.com"));
      }
      List<MessageView.Step> found = new MessageQueries(database).refused(one);
      assertEquals(
          List.of("ann@example.com", "bea@example.com"),
          found.stream().map(MessageView.Step::recipient).toList());
      assertTrue(found.getFirst().detail().contains("client 192.0.2.7"), found::toString);
    }
  }

  @Test
  void whatIsOldIsForgottenAndNothingElse() {
    Reference reference = Reference.of(REASON, Instant.now());
    try (Database database = TestDatabase.open()) {
      RefusalTrace trace = new RefusalTrace(database);
      trace.emit(refusal(reference, "ann@example.com"));
      trace.close();
      assertEquals(0, trace.prune(Instant.now().minus(Duration.ofMinutes(1))));
      assertEquals(1, new MessageQueries(database).refused(reference).size());
      assertEquals(1, trace.prune(Instant.now().plus(Duration.ofMinutes(1))));
      assertEquals(0, new MessageQueries(database).refused(reference).size());
    }
  }
}
