package net.postern.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import net.postern.node.StartException;
import net.postern.node.Workbench;
import net.postern.vault.Compactor;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code postern vault compact}. */
@Command(
    name = "compact",
    description = {
      "Gives the space of mail that nothing keeps back: one pass now, of those that a node makes"
          + " every minute."
    },
    mixinStandardHelpOptions = true)
final class VaultCompact implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Override
  public Integer call() throws InterruptedException {
    try (Workbench bench = Workbench.open(vault.config())) {
      Compactor.Report report = bench.compactor().pass();
      if (!report.ran()) {
        throw new CommandFailure(
            Exit.NEGATIVE, "a node compacts at this moment; there is nothing to do here");
      }
      print(report, bench.compactor().stats(), vault.printer());
      return Exit.OK;
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new CommandFailure(
          Exit.NEGATIVE, "compaction broke off, nothing is lost: " + e.getMessage(), e);
    }
  }

  private static void print(Compactor.Report report, Compactor.Stats stats, PrintWriter out) {
    out.printf("looked at %,d segments%n", report.looked());
    out.printf("dropped %,d of which nothing is kept%n", report.dropped());
    out.printf(
        "copied what is kept of %,d into %,d new ones, %,d bytes%n",
        report.rewritten(), report.made(), report.copiedBytes());
    out.printf("deleted %,d from every store%n", report.deleted());
    out.printf(
        "in one store: %,d bytes kept, %,d dead, %,d dropped and to be deleted%n",
        stats.liveBytes(), stats.deadBytes(), report.waiting());
  }
}
