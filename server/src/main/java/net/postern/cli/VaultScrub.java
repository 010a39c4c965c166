package net.postern.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code postern vault scrub}. */
@Command(
    name = "scrub",
    description = {
      "Reads everything in all stores now, as fast as it goes, and repairs what is damaged.",
      "Beside a running node, what that node has not finished writing is left to it.",
      "Exit code 0 when all is whole now; 1 when something is not, or a store is away."
    },
    mixinStandardHelpOptions = true)
final class VaultScrub implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Override
  public Integer call() {
    return VaultVerify.run(vault, true);
  }
}
