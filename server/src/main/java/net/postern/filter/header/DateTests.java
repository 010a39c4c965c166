package net.postern.filter.header;

import static net.postern.filter.Rule.Group.HEADER;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import net.postern.filter.MailView;
import net.postern.filter.Rule;
import net.postern.mime.HeaderField;
import net.postern.mime.MailDate;

/** Tests of the Date field against the clock of the judgement. */
public final class DateTests {
  private DateTests() {}

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule("MISSING_DATE", 1.0, HEADER, "No Date field", DateTests::missing),
          new Rule("INVALID_DATE", 1.0, HEADER, "The Date cannot be read", DateTests::invalid),
          future("DATE_IN_FUTURE_06_12", 1.5, 6, 12),
          future("DATE_IN_FUTURE_12_24", 2.0, 12, 24),
          future("DATE_IN_FUTURE_24_48", 2.2, 24, 48),
          future("DATE_IN_FUTURE_48_XX", 2.5, 48, Long.MAX_VALUE / 3600),
          new Rule(
              "DATE_IN_PAST_96_XX",
              1.0,
              HEADER,
              "Date is more than four days before the message came",
              DateTests::old));

  private static Rule future(String name, double score, long from, long to) {
    String until = to > 48 ? "more than " + from : from + " to " + to;
    return new Rule(
        name,
        score,
        HEADER,
        "Date is " + until + " hours in the future",
        mail -> {
          Optional<Instant> date = date(mail);
          if (date.isEmpty()) {
            return Rule.NO;
          }
          long hours = Duration.between(mail.now(), date.get()).toSeconds() / 3600;
          return Rule.when(hours >= from && hours < to);
        });
  }

  private static Optional<Instant> date(MailView mail) {
    Optional<HeaderField> field = mail.headers().first("Date");
    return field.isEmpty() ? Optional.empty() : MailDate.parse(field.get().text());
  }

  private static Optional<String> missing(MailView mail) {
    return Rule.when(mail.headers().first("Date").isEmpty());
  }

  private static Optional<String> invalid(MailView mail) {
    Optional<HeaderField> field = mail.headers().first("Date");
    return field.isPresent() && MailDate.parse(field.get().text()).isEmpty()
        ? Rule.seen(field.get().text())
        : Rule.NO;
  }

  private static Optional<String> old(MailView mail) {
    // A file may have any age; only mail that comes in now should be fresh.
    if (mail.sample().client().isEmpty()) {
      return Rule.NO;
    }
    Optional<Instant> date = date(mail);
    return Rule.when(date.isPresent() && Duration.between(date.get(), mail.now()).toHours() >= 96);
  }
}
