package net.postern.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import net.postern.ledger.Balance;
import net.postern.node.Rebuild;
import net.postern.node.StartException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code postern vault rebuild}. */
@Command(
    name = "rebuild",
    description = {
      "Makes the database again, settings, messages and deliveries, from one store and the master"
          + " key. The database has to be empty and no node may run. May be killed and run again."
    },
    mixinStandardHelpOptions = true)
final class VaultRebuild implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Option(
      names = "--from",
      required = true,
      paramLabel = "STORE",
      description = "A configured store: its name, such as store-2, or its directory.")
  @SuppressWarnings("NullAway.Init") // required
  private String from;

  @Override
  public Integer call() {
    PrintWriter out = vault.printer();
    Rebuild.Report report;
    try {
      report = Rebuild.run(vault.config(), from, out);
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    }
    Table table =
        new Table(
            "customer",
            "messages",
            "accepted",
            "delivered",
            "held",
            "waiting",
            "returned",
            "removed",
            "difference");
    long messages = 0;
    for (Balance each : report.customers()) {
      messages += each.messages();
      table.row(
          each.name(),
          each.messages(),
          each.accepted(),
          each.delivered(),
          each.held(),
          each.waiting(),
          each.returned(),
          each.removed(),
          each.difference());
    }
    table.print(out);
    out.printf(
        "%d customers, %d messages; damaged frames: %d, unreadable: %d, erased: %d%n",
        report.customers().size(),
        messages,
        report.damaged(),
        report.unreadable(),
        report.erased());
    out.println(
        "not in the stores, so not back: replies of servers, the trace, what was delivered in the last seconds");
    out.println(
        report.whole() ? "rebuilt" : "rebuilt as far as the store allows: see the lines above");
    return report.whole() ? Exit.OK : Exit.NEGATIVE;
  }
}
