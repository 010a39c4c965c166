package net.postern.edge.check;

import net.postern.events.MailEvent.Stage;
import net.postern.source.Sources;

/** Slows down, then defers, sources that send too many messages. */
final class MessageRate implements Check<Mail> {
  static final About ABOUT =
      new About(
          "message_rate",
          Stage.MAIL,
          true,
          false,
          "Slows down, then defers, sources that send too many messages.",
          "450 4.7.0 Too many messages in a minute, please slow down and try again");

  private final Sources sources;

  MessageRate(Sources sources) {
    this.sources = sources;
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public CheckResult check(Mail question) {
    return Pacing.of(sources.message(question.client().address()), 450, "messages");
  }
}
