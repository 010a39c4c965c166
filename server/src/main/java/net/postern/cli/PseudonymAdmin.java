package net.postern.cli;

import java.io.IOException;
import net.postern.address.EmailAddress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin pseudonym}. */
@Command(
    name = "pseudonym",
    description = "Tells what an address is called in the log (observe.log_addresses).",
    mixinStandardHelpOptions = true)
final class PseudonymAdmin implements Runnable {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Parameters(paramLabel = "ADDRESS")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String text;

  @Override
  public void run() {
    EmailAddress address = UserAdmin.address(text);
    admin.with(
        (bench, out) -> {
          try {
            out.println(bench.pseudonyms().of(address.toString()));
            return Exit.OK;
          } catch (IOException e) {
            throw new CommandFailure(
                Exit.NEGATIVE, "the system's key cannot be had: " + e.getMessage(), e);
          }
        });
  }
}
