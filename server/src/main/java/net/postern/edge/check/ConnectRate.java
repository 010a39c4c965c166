package net.postern.edge.check;

import net.postern.events.MailEvent.Stage;
import net.postern.source.Sources;

/** Slows down, then sends away, sources that connect too often. */
final class ConnectRate implements Check<Connect> {
  static final About ABOUT =
      new About(
          "connect_rate",
          Stage.CONNECT,
          true,
          false,
          "Slows down, then sends away, sources that connect too often.",
          "421 4.7.0 Too many connections in a minute, please slow down and try again");

  private final Sources sources;

  ConnectRate(Sources sources) {
    this.sources = sources;
  }

  @Override
  public About about() {
    return ABOUT;
  }

  @Override
  public CheckResult check(Connect question) {
    return Pacing.of(sources.connect(question.client().address()), 421, "connections");
  }
}
