package net.postern.filter.header;

import static net.postern.filter.Rule.Group.HEADER;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.filter.MailView;
import net.postern.filter.Rule;
import net.postern.mime.Defect;
import net.postern.mime.HeaderField;

/** Tests of fields that are missing, repeated or malformed. */
public final class FieldTests {
  private FieldTests() {}

  /** To and Cc together from which on a message is sent to many. */
  private static final int MANY = 50;

  /** RFC 5322 §3.6: at most once. */
  private static final List<String> UNIQUE =
      List.of("From", "Subject", "Date", "Message-ID", "Reply-To", "To", "Cc", "Sender");

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule("MISSING_FROM", 2.5, HEADER, "No From field", mail -> missing(mail, "From")),
          new Rule("MISSING_MID", 0.5, HEADER, "No Message-ID field", FieldTests::noMessageId),
          new Rule(
              "INVALID_MSGID", 0.7, HEADER, "Message-ID is not valid", FieldTests::badMessageId),
          new Rule(
              "MISSING_SUBJECT", 1.0, HEADER, "No Subject field", mail -> missing(mail, "Subject")),
          new Rule("EMPTY_SUBJECT", 0.5, HEADER, "The Subject is empty", FieldTests::emptySubject),
          new Rule("MISSING_TO", 1.0, HEADER, "No To, Cc or Bcc field", FieldTests::noTo),
          new Rule(
              "UNDISC_RECIPS",
              0.8,
              HEADER,
              "Addressed to undisclosed recipients",
              FieldTests::undisclosed),
          new Rule(
              "MULTIPLE_UNIQUE_HEADERS",
              2.0,
              HEADER,
              "A field that may occur once is repeated",
              FieldTests::repeated),
          new Rule("SUBJ_ALL_CAPS", 1.2, HEADER, "Subject is all capitals", FieldTests::allCaps),
          new Rule(
              "FAKE_REPLY",
              0.3,
              HEADER,
              "Subject says reply, but no field refers to a message",
              FieldTests::fakeReply),
          new Rule(
              "SUBJ_ILLEGAL_CHARS",
              0.8,
              HEADER,
              "Subject has raw bytes in no known charset",
              FieldTests::rawSubject),
          new Rule(
              "HEADER_DEFECTS",
              0.6,
              HEADER,
              "The header section breaks off or has lines that are no fields",
              FieldTests::brokenHeader),
          new Rule(
              "MANY_RECIPIENTS",
              1.0,
              HEADER,
              "Addressed to a great many recipients",
              FieldTests::manyRecipients));

  private static Optional<String> missing(MailView mail, String name) {
    return Rule.when(mail.headers().first(name).isEmpty());
  }

  private static Optional<String> noMessageId(MailView mail) {
    return missing(mail, "Message-ID");
  }

  private static Optional<String> badMessageId(MailView mail) {
    Optional<HeaderField> field = mail.headers().first("Message-ID");
    if (field.isEmpty()) {
      return Rule.NO;
    }
    String id = field.get().text();
    // RFC 5322 §3.6.4 "<" id-left "@" id-right ">", read generously.
    int at = id.indexOf('@');
    boolean good =
        id.length() >= 5
            && id.charAt(0) == '<'
            && id.charAt(id.length() - 1) == '>'
            && at > 1
            && at < id.length() - 2
            && id.indexOf(' ') < 0
            && id.indexOf('<', 1) < 0;
    return good ? Rule.NO : Rule.seen(id);
  }

  private static Optional<String> emptySubject(MailView mail) {
    return Rule.when(mail.headers().first("Subject").isPresent() && mail.subject().isBlank());
  }

  private static Optional<String> noTo(MailView mail) {
    return Rule.when(
        mail.headers().first("To").isEmpty()
            && mail.headers().first("Cc").isEmpty()
            && mail.headers().first("Bcc").isEmpty());
  }

  private static Optional<String> undisclosed(MailView mail) {
    Optional<HeaderField> to = mail.headers().first("To");
    if (to.isEmpty() || mail.headers().first("Cc").isPresent()) {
      return Rule.NO;
    }
    String text = to.get().text();
    return Rule.when(
        text.isEmpty()
            || (text.indexOf('@') < 0 && text.toLowerCase(Locale.ROOT).contains("undisclosed")));
  }

  private static Optional<String> repeated(MailView mail) {
    for (String name : UNIQUE) {
      if (mail.headers().count(name) > 1) {
        return Rule.seen(name);
      }
    }
    return Rule.NO;
  }

  private static Optional<String> allCaps(MailView mail) {
    String subject = mail.subject();
    int upper = 0;
    boolean blank = false;
    for (int i = 0; i < subject.length(); i++) {
      char c = subject.charAt(i);
      if (Character.isLowerCase(c)) {
        return Rule.NO;
      }
      if (Character.isUpperCase(c)) {
        upper++;
      } else if (c == ' ' && upper > 0) {
        blank = true;
      }
    }
    return Rule.when(upper >= 10 && blank); // one word may be a code or a name
  }

  private static Optional<String> fakeReply(MailView mail) {
    if (!mail.subject().regionMatches(true, 0, "re:", 0, 3)) {
      return Rule.NO;
    }
    return Rule.when(
        mail.headers().first("References").isEmpty()
            && mail.headers().first("In-Reply-To").isEmpty());
  }

  private static Optional<String> rawSubject(MailView mail) {
    Optional<HeaderField> subject = mail.headers().first("Subject");
    if (subject.isEmpty()) {
      return Rule.NO;
    }
    for (Defect.At at : mail.message().defects()) {
      if (at.defect() == Defect.HEADER_RAW_8BIT && at.offset() == subject.get().start()) {
        return Rule.YES;
      }
    }
    return Rule.NO;
  }

  private static Optional<String> brokenHeader(MailView mail) {
    int end = mail.headers().end();
    for (Defect.At at : mail.message().defects()) {
      if (at.offset() <= end
          && (at.defect() == Defect.HEADER_NO_COLON || at.defect() == Defect.HEADER_NO_END)) {
        return Rule.seen(at.defect() + " at " + at.offset());
      }
    }
    return Rule.NO;
  }

  private static Optional<String> manyRecipients(MailView mail) {
    int commas = 0;
    for (HeaderField field : mail.headers().fields()) {
      if (field.is("To") || field.is("Cc")) {
        String text = field.text();
        for (int i = 0; i < text.length(); i++) {
          if (text.charAt(i) == '@') {
            commas++;
          }
        }
      }
    }
    return commas >= MANY ? Rule.seen(commas + " addresses") : Rule.NO;
  }
}
