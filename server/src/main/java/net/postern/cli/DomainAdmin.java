package net.postern.cli;

import java.time.Instant;
import java.util.Locale;
import net.postern.callout.CalloutReport;
import net.postern.node.Workbench;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import net.postern.tenant.Validation;
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
          Table table = new Table("domain", "customer", "catch-all", "route", "validation");
          for (Tenants.DomainListed each : bench.tenants().domains()) {
            table.row(
                each.name(),
                each.customer(),
                each.catchAll() ? "yes" : "no",
                each.route(),
                each.validation().name().toLowerCase(Locale.ROOT));
          }
          table.print(out);
          return Exit.OK;
        });
  }

  @Command(
      name = "validation",
      description = {
        "Sets what becomes of addresses that nobody entered.",
        "LISTED: they do not exist. OPEN: all are taken. CALLOUT: the domain's server is asked."
      },
      mixinStandardHelpOptions = true)
  int validation(
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Parameters(paramLabel = "HOW", description = "One of: ${COMPLETION-CANDIDATES}.")
          Validation validation,
      @Option(
              names = "--accept-unknown",
              description =
                  "With CALLOUT: take mail while the server cannot say; without it senders wait.")
          boolean acceptUnknown) {
    if (acceptUnknown && validation != Validation.CALLOUT) {
      throw new CommandFailure(Exit.USAGE, "--accept-unknown is for CALLOUT only");
    }
    return admin.with(
        (bench, out) -> {
          bench.tenants().setValidation(domain, validation, acceptUnknown);
          out.println("addresses of " + domain + ": " + validation.name().toLowerCase(Locale.ROOT));
          if (validation == Validation.CALLOUT && !find(bench, domain).route().startsWith("smtp")) {
            out.println("its route leads to no server yet: 'admin route smtp' sets one");
          }
          return Exit.OK;
        });
  }

  @Command(
      name = "subaddress",
      description = "Sets which characters separate a user from a detail, such as ann+shop.",
      mixinStandardHelpOptions = true)
  int subaddress(
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Parameters(paramLabel = "CHARACTERS", description = "Some of +-=_, or off.")
          String separators) {
    return admin.with(
        (bench, out) -> {
          bench.tenants().setSubaddress(domain, separators.equals("off") ? "" : separators);
          out.println("subaddresses of " + domain + ": " + separators);
          return Exit.OK;
        });
  }

  @Command(
      name = "show",
      description = "Shows a domain, and what its server said about addresses.",
      mixinStandardHelpOptions = true)
  int show(@Parameters(paramLabel = "DOMAIN") String domain) {
    return admin.with(
        (bench, out) -> {
          Tenants.DomainListed found = find(bench, domain);
          out.println("domain      " + found.name());
          out.println("customer    " + found.customer());
          out.println("route       " + found.route());
          out.println("validation  " + found.validation().name().toLowerCase(Locale.ROOT));
          out.println("subaddress  " + (found.subaddress().isEmpty() ? "off" : found.subaddress()));
          if (found.validation() == Validation.CALLOUT) {
            CalloutReport.Domain report = bench.callouts().of(found.name());
            out.println(
                "unsure      " + (found.acceptUnknown() ? "mail is taken" : "senders wait (451)"));
            out.println(
                "server      knows %d addresses, does not know %d that were asked for"
                    .formatted(report.known(), report.unknown()));
            if (report.takesAll().orElse(false)) {
              out.println(
                  "problem     the server takes every address: make it refuse unknown users, or list them here");
            }
            if (!report.trouble().isEmpty()) {
              out.println(
                  "problem     the server cannot say since %s: %s"
                      .formatted(
                          report.troubleSince().map(Instant::toString).orElse("?"),
                          report.trouble()));
            }
          }
          return Exit.OK;
        });
  }

  private static Tenants.DomainListed find(Workbench bench, String domain) throws TenantException {
    return bench.tenants().domains().stream()
        .filter(each -> each.name().equalsIgnoreCase(domain))
        .findFirst()
        .orElseThrow(
            () -> new TenantException("no domain " + domain + "; 'admin domain list' shows all"));
  }
}
