package net.postern.cli;

import java.util.Optional;
import net.postern.config.Network;
import net.postern.ledger.ErasedMail;
import net.postern.node.Erasing;
import net.postern.tenant.Customer;
import net.postern.tenant.Tenants;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin customer}. */
@Command(
    name = "customer",
    description = "Organisations that are served.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class CustomerAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(name = "add", description = "Adds a customer.", mixinStandardHelpOptions = true)
  int add(@Parameters(paramLabel = "NAME", description = "Unique name.") String name) {
    return admin.with(
        (bench, out) -> {
          out.println("added customer \"" + name + "\" " + bench.tenants().addCustomer(name));
          return Exit.OK;
        });
  }

  @Command(name = "list", description = "Lists customers.", mixinStandardHelpOptions = true)
  int list() {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("customer", "domains", "users", "flag", "hold", "refuse", "tag");
          for (Tenants.Listed each : bench.tenants().customers()) {
            Customer customer = each.customer();
            table.row(
                customer.name(),
                each.domains(),
                each.users(),
                customer.flag(),
                customer.hold(),
                customer.refuse(),
                customer.subjectTag());
          }
          table.print(out);
          return Exit.OK;
        });
  }

  @Command(
      name = "policy",
      description = "Sets from which score on mail is flagged, held, refused.",
      mixinStandardHelpOptions = true)
  int policy(
      @Parameters(paramLabel = "NAME") String name,
      @Option(names = "--flag", paramLabel = "SCORE") Optional<Double> flag,
      @Option(names = "--hold", paramLabel = "SCORE") Optional<Double> hold,
      @Option(names = "--refuse", paramLabel = "SCORE") Optional<Double> refuse,
      @Option(
              names = "--subject-tag",
              paramLabel = "TEXT",
              description = "Put before the subject of flagged mail; empty for none.")
          Optional<String> tag) {
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          bench
              .tenants()
              .setPolicy(
                  customer,
                  flag.orElse(customer.flag()),
                  hold.orElse(customer.hold()),
                  refuse.orElse(customer.refuse()),
                  tag.orElse(customer.subjectTag()));
          out.println("policy of \"" + name + "\" is set");
          return Exit.OK;
        });
  }

  @Command(
      name = "server",
      description = "Registers a network of the customer's own servers, or takes one back.",
      mixinStandardHelpOptions = true)
  int server(
      @Parameters(paramLabel = "NAME") String name,
      @Parameters(paramLabel = "NETWORK", description = "Address or CIDR network.") String network,
      @Option(names = "--remove", description = "It is no server of the customer's any more.")
          boolean remove) {
    Network parsed =
        Network.parse(network)
            .orElseThrow(
                () ->
                    new CommandFailure(
                        Exit.USAGE, "\"" + network + "\" is no address or CIDR network"));
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          if (remove) {
            bench.tenants().removeServer(customer, parsed);
          } else {
            bench.tenants().addServer(customer, parsed);
          }
          out.println(done(remove) + parsed + " for \"" + name + "\"");
          return Exit.OK;
        });
  }

  @Command(
      name = "certificate",
      description = {
        "Registers a server of the customer's by its client certificate, or takes one back."
      },
      mixinStandardHelpOptions = true)
  int certificate(
      @Parameters(paramLabel = "NAME") String name,
      @Parameters(
              paramLabel = "CERTIFICATE",
              description = "PEM file with the certificate, or its SHA-256 fingerprint.")
          String certificate,
      @Option(names = "--remove", description = "It is no server of the customer's any more.")
          boolean remove) {
    CertificateFile shown = CertificateFile.read(certificate);
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          if (remove) {
            bench.accounts().removeCertificate(customer, shown.fingerprint());
          } else {
            bench.accounts().addCertificate(customer, shown.fingerprint(), shown.subject());
          }
          out.println(done(remove) + shown.fingerprint() + " for \"" + name + "\"");
          return Exit.OK;
        });
  }

  private static String done(boolean remove) {
    return remove ? "removed " : "registered ";
  }

  @Command(
      name = "servers",
      description = "Lists the customer's own servers: networks and certificates.",
      mixinStandardHelpOptions = true)
  int servers(@Parameters(paramLabel = "NAME") String name) {
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          Table table = new Table("kind", "server", "subject");
          bench.tenants().servers(customer).forEach(each -> table.row("network", each, ""));
          bench
              .accounts()
              .certificates(customer)
              .forEach(each -> table.row("certificate", each.fingerprint(), each.subject()));
          table.print(out);
          return Exit.OK;
        });
  }

  @Command(
      name = "limits",
      description = {
        "Sets how much a customer's users and servers may send together, where that differs from the"
            + " configuration.",
        "What is not given is as configured."
      },
      mixinStandardHelpOptions = true)
  int limits(@Parameters(paramLabel = "NAME") String name, @Mixin LimitOptions limits) {
    return admin.with(
        (bench, out) -> {
          bench.accounts().limit(AdminCommand.customer(bench, name), limits.read());
          out.println("the limits of \"" + name + "\" are set");
          return Exit.OK;
        });
  }

  @Command(
      name = "erase",
      description = {
        "Makes all mail of a customer unreadable for ever, in every store: erases its key, and takes"
            + " its domains, users and servers away.",
        "Without --confirm it says what that would be."
      },
      mixinStandardHelpOptions = true)
  int erase(
      @Parameters(paramLabel = "NAME") String name,
      @Option(
              names = "--confirm",
              paramLabel = "NAME",
              description = "The same again: it cannot be undone.")
          Optional<String> confirm) {
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          if (!confirm.equals(Optional.of(name))) {
            ErasedMail.Open open = bench.erasing().open(customer);
            for (Tenants.Listed each : bench.tenants().customers()) {
              if (each.customer().id().equals(customer.id())) {
                out.println(
                    "customer   %s with %d domains and %d addresses"
                        .formatted(customer.id(), each.domains(), each.users()));
              }
            }
            out.println(
                "deliveries %d waiting and %d held end as removed"
                    .formatted(open.waiting(), open.held()));
            throw new CommandFailure(
                Exit.USAGE, "to erase it, repeat the name: --confirm '" + name + "'");
          }
          Erasing.Outcome outcome = bench.erasing().customer(customer);
          out.println("erased customer " + customer.id());
          return ErasedReport.print(out, outcome);
        });
  }
}
