package net.postern.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import net.postern.node.StartException;
import net.postern.node.VaultInspection;
import net.postern.vault.StoreCheck;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code postern vault verify}. */
@Command(
    name = "verify",
    description = {
      "Reads everything in all stores now, and changes nothing.",
      "Beside a running node, what that node has not finished writing is not looked at.",
      "Exit code 0 when all is whole; 1 when something is damaged, or a store is away."
    },
    mixinStandardHelpOptions = true)
final class VaultVerify implements Callable<Integer> {
  /** Findings that are printed; of more the number is told. */
  private static final int SHOWN = 1_000;

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Override
  public Integer call() {
    return run(vault, false);
  }

  /** Checks, and prints what is found. */
  static int run(VaultCommand vault, boolean repair) {
    PrintWriter out = vault.printer();
    long[] printed = new long[1];
    try {
      StoreCheck.Result result =
          VaultInspection.run(
              vault.config(),
              repair,
              finding -> {
                if (printed[0]++ < SHOWN) {
                  out.println(finding);
                }
              });
      if (printed[0] > SHOWN) {
        out.println("and %d more".formatted(printed[0] - SHOWN));
      }
      print(result, repair, out);
      return result.whole() ? Exit.OK : Exit.NEGATIVE;
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new CommandFailure(Exit.NEGATIVE, "the stores cannot be checked: " + e.getMessage(), e);
    }
  }

  private static void print(StoreCheck.Result result, boolean repair, PrintWriter out) {
    Table table = new Table("store", "objects", "bytes", "checked");
    result
        .stores()
        .forEach(
            (name, checked) ->
                table.row(
                    name,
                    checked.objects(),
                    checked.bytes(),
                    checked.full() ? "in full" : "NOT in full"));
    table.print(out);
    out.println(
        repair
            ? "found %d, repaired %d, not repaired %d"
                .formatted(result.found(), result.repaired(), result.unrepaired())
            : "found %d".formatted(result.found()));
  }
}
