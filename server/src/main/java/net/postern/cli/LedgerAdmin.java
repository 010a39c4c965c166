package net.postern.cli;

import java.util.List;
import net.postern.id.MessageId;
import net.postern.ledger.Balance;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin ledger}. */
@Command(
    name = "ledger",
    description = "The account of every message.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class LedgerAdmin extends NeedsSubcommand {
  private static final int SHOWN = 20;

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "check",
      description =
          "Checks for every customer: accepted = delivered + held + waiting + returned + removed.",
      mixinStandardHelpOptions = true)
  int check() {
    return admin.with(
        (bench, out) -> {
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
          boolean balanced = true;
          for (Balance each : Balance.all(bench.database())) {
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
            balanced &= each.difference() == 0;
          }
          table.print(out);
          List<MessageId> wrong = Balance.unbalanced(bench.database(), SHOWN);
          for (MessageId id : wrong) {
            out.println("unbalanced: " + id + " (see 'admin trace " + id + "')");
          }
          if (balanced && wrong.isEmpty()) {
            out.println("balance: 0, every accepted message is accounted for");
            return Exit.OK;
          }
          out.println("balance: NOT 0");
          return Exit.NEGATIVE;
        });
  }
}
