package net.postern.cli;

import net.postern.tenant.Tenants;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin domain}. */
@Command(
    name = "domain",
    description = "Domains of customers.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class DomainAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(name = "add", description = "Adds a domain.", mixinStandardHelpOptions = true)
  int add(
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Option(names = "--customer", required = true, paramLabel = "NAME") String customer,
      @Option(
              names = "--catch-all",
              description = "Take every address of the domain, not only those of users.")
          boolean catchAll) {
    return admin.with(
        (bench, out) -> {
          String added =
              bench.tenants().addDomain(AdminCommand.customer(bench, customer), domain, catchAll);
          out.println("added domain " + added + "; give it a route with 'admin route'");
          return Exit.OK;
        });
  }

  @Command(name = "list", description = "Lists domains.", mixinStandardHelpOptions = true)
  int list() {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("domain", "customer", "catch-all", "route");
          for (Tenants.DomainListed each : bench.tenants().domains()) {
            table.row(each.name(), each.customer(), each.catchAll() ? "yes" : "no", each.route());
          }
          table.print(out);
          return Exit.OK;
        });
  }
}
