package net.postern.cli;

import java.util.Optional;
import java.util.OptionalInt;
import net.postern.tenant.SendLimit;
import picocli.CommandLine.Option;

/** How much may be sent, as options of a command. */
final class LimitOptions {
  @Option(names = "--messages-hour", paramLabel = "NUMBER")
  private Optional<Integer> messagesHour = Optional.empty();

  @Option(names = "--messages-day", paramLabel = "NUMBER")
  private Optional<Integer> messagesDay = Optional.empty();

  @Option(names = "--recipients-hour", paramLabel = "NUMBER")
  private Optional<Integer> recipientsHour = Optional.empty();

  @Option(names = "--recipients-day", paramLabel = "NUMBER")
  private Optional<Integer> recipientsDay = Optional.empty();

  SendLimit read() {
    return new SendLimit(
        number(messagesHour), number(messagesDay), number(recipientsHour), number(recipientsDay));
  }

  private static OptionalInt number(Optional<Integer> value) {
    if (value.filter(each -> each < 0).isPresent()) {
      throw new CommandFailure(Exit.USAGE, "a limit is 0 (nothing may be sent) or more");
    }
    return value.map(OptionalInt::of).orElseGet(OptionalInt::empty);
  }
}
