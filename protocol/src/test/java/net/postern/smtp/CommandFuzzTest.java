package net.postern.smtp;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import net.postern.address.EmailAddress;

/**
 * Any bytes are either a command or refused, and what is understood as an address is one that can
 * be written and read again. Run with JAZZER_FUZZ=1 to search; otherwise the stored inputs are
 * tried.
 */
class CommandFuzzTest {

  @FuzzTest(maxDuration = "1m")
  void parsing(byte[] bytes) {
    switch (Command.parse(bytes, 0, bytes.length)) {
      case Parsed.Bad<Command> bad -> printable(bad.reply());
      case Parsed.Ok<Command> ok -> {
        String argument = ok.value().argument();
        switch (MailArguments.parse(argument)) {
          case Parsed.Bad<MailArguments> bad -> printable(bad.reply());
          case Parsed.Ok<MailArguments> mail ->
              mail.value().reversePath().ifPresent(CommandFuzzTest::readsBack);
        }
        switch (RcptArguments.parse(argument, true)) {
          case Parsed.Bad<RcptArguments> bad -> printable(bad.reply());
          case Parsed.Ok<RcptArguments> rcpt ->
              rcpt.value().forwardPath().ifPresent(CommandFuzzTest::readsBack);
        }
      }
    }
  }

  private static void readsBack(EmailAddress address) {
    if (!EmailAddress.parse(address.toString()).equals(java.util.Optional.of(address))) {
      throw new AssertionError("does not read back: " + address);
    }
  }

  private static void printable(Reply reply) {
    for (byte b : reply.toBytes()) {
      if (b < 0) {
        throw new AssertionError(new String(reply.toBytes(), StandardCharsets.ISO_8859_1));
      }
    }
  }
}
