package net.postern.cli;

import java.util.List;
import net.postern.dnsbl.BlockLists;
import net.postern.dnsbl.ZoneBoard;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin dnsbl}. */
@Command(
    name = "dnsbl",
    description = "Block lists that are asked through the DNS.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class DnsblAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "status",
      description = "Shows how each node finds each list: used or benched, and why.",
      mixinStandardHelpOptions = true)
  int status() {
    return admin.with(
        (bench, out) -> {
          List<ZoneBoard.Line> lines = new ZoneBoard(bench.database()).read();
          Table table =
              new Table(
                  "zone",
                  "node",
                  "state",
                  "asked",
                  "listed",
                  "errors",
                  "silent",
                  "why",
                  "next look");
          for (ZoneBoard.Line each : lines) {
            BlockLists.Status status = each.status();
            table.row(
                status.title(),
                each.node(),
                status.up() ? "used" : "benched",
                status.asked(),
                status.listed(),
                status.errors(),
                status.silent(),
                status.why().isEmpty() ? "-" : status.why(),
                status.up() ? "-" : status.until());
          }
          table.print(out);
          if (lines.isEmpty()) {
            out.println("no node asks any list; dnsbl.zones in the configuration names them");
          }
          return Exit.OK;
        });
  }
}
