package net.postern.cli;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import net.postern.keys.MasterRotation;
import net.postern.node.StartException;
import net.postern.node.Workbench;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code postern vault rotate-master}. */
@Command(
    name = "rotate-master",
    description = {
      "Seals every key under vault.master_key that one of vault.previous_master_keys seals now.",
      "Says what still needs a previous key; may be stopped and run again."
    },
    mixinStandardHelpOptions = true)
final class RotateMasterCommand implements Callable<Integer> {
  /** Problems that are printed; of more the number is told. */
  private static final int SHOWN = 10;

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Override
  public Integer call() {
    try (Workbench bench = Workbench.open(vault.config())) {
      return print(new MasterRotation(bench.keys()).run());
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new CommandFailure(
          Exit.NEGATIVE, e.getMessage() + "; run it again when the database answers", e);
    }
  }

  private int print(MasterRotation.Report report) {
    var out = vault.printer();
    out.println(
        "%d keys are under a master key; %d of them were re-wrapped now"
            .formatted(report.records(), report.rewrapped()));
    Table table = new Table("place", "need a previous key", "unreadable", "");
    for (Map.Entry<String, MasterRotation.Left> each : report.left().entrySet()) {
      MasterRotation.Left left = each.getValue();
      table.row(
          each.getKey(),
          left.needing(),
          left.unreadable(),
          left.away().map(why -> "away: " + why).orElse(""));
    }
    table.print(out);
    report.problems().stream().limit(SHOWN).forEach(each -> out.println("not done: " + each));
    if (report.problems().size() > SHOWN) {
      out.println("and %d more".formatted(report.problems().size() - SHOWN));
    }
    if (report.complete()) {
      out.println(
          "Nothing needs a previous master key any more: take it out of"
              + " vault.previous_master_keys on every node.");
      return Exit.OK;
    }
    out.println(
        "Previous master keys are still needed: keep them, mend what is named above, and run this"
            + " again.");
    return Exit.NEGATIVE;
  }
}
