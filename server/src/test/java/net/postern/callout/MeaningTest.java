package net.postern.callout;

import static org.junit.jupiter.api.Assertions.assertEquals;

import net.postern.smtp.Reply;
import net.postern.smtp.client.RecipientOutcome;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Only what is said of the address itself is a no. */
class MeaningTest {

  @ParameterizedTest
  @CsvSource({
    "250, 2.1.5, EXISTS",
    "251, '', EXISTS",
    "550, 5.1.1, UNKNOWN",
    "550, '', UNKNOWN",
    "551, '', UNKNOWN",
    "553, 5.1.3, UNKNOWN",
    "550, 5.1.10, UNKNOWN",
    "550, 5.4.1, UNKNOWN",
    "550, 5.0.0, UNKNOWN",
    "550, 5.2.1, UNKNOWN",
    "554, 5.1.1, UNKNOWN",
    // Policy, the sender, the mailbox's quota, the server: nothing about who exists.
    "550, 5.7.1, CANNOT_TELL",
    "550, 5.1.8, CANNOT_TELL",
    "550, 5.2.2, CANNOT_TELL",
    "552, 5.2.2, CANNOT_TELL",
    "554, '', CANNOT_TELL",
    "554, 5.7.1, CANNOT_TELL",
    "554, 5.4.1, CANNOT_TELL",
    "503, 5.5.1, CANNOT_TELL",
    "530, 5.7.0, CANNOT_TELL",
    "450, 4.1.1, CANNOT_TELL",
    "451, '', CANNOT_TELL",
    "421, '', CANNOT_TELL"
  })
  void ofAReplyToRcpt(int code, String enhanced, Meaning expected) {
    Reply reply = Reply.of(code, enhanced, "text");
    assertEquals(
        expected, Meaning.of(new RecipientOutcome.Replied(reply, RecipientOutcome.Stage.RCPT)));
    // To MAIL the same reply says nothing about a recipient.
    assertEquals(
        Meaning.CANNOT_TELL,
        Meaning.of(new RecipientOutcome.Replied(reply, RecipientOutcome.Stage.MAIL)));
  }
}
