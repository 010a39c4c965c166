package net.postern.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import net.postern.config.ConfigLoader;
import net.postern.node.StartException;
import net.postern.node.Workbench;
import net.postern.tenant.Customer;
import net.postern.tenant.TenantException;
import net.postern.vault.VaultUnavailableException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * {@code postern admin}: the provider's work from the command line, beside a running node or
 * without.
 */
@Command(
    name = "admin",
    description =
        "Customers, domains, users, groups, directories, routes, quarantine, message trace, refusals"
            + " explained, ledger check, blocked sources.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CustomerAdmin.class,
      DomainAdmin.class,
      UserAdmin.class,
      AliasAdmin.class,
      GroupAdmin.class,
      LdapAdmin.class,
      RouteAdmin.class,
      QuarantineAdmin.class,
      TraceAdmin.class,
      ExplainAdmin.class,
      LedgerAdmin.class,
      HoldAdmin.class,
      SourceAdmin.class,
      ListAdmin.class,
      CheckAdmin.class,
      DnsblAdmin.class,
      PseudonymAdmin.class
    })
final class AdminCommand extends NeedsSubcommand {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "The node's configuration; default: $POSTERN_CONFIG, or postern.toml here.")
  private Path file = Path.of(System.getenv().getOrDefault("POSTERN_CONFIG", "postern.toml"));

  /** Work with an installation. */
  @FunctionalInterface
  interface Work {
    int run(Workbench bench, PrintWriter out) throws TenantException, VaultUnavailableException;
  }

  /** Opens the installation, does the work, and turns its failures into one clear line. */
  int with(Work work) {
    try (Workbench bench = Workbench.open(ConfigLoader.load(file))) {
      return work.run(bench, out());
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    } catch (TenantException | VaultUnavailableException e) {
      throw new CommandFailure(Exit.NEGATIVE, String.valueOf(e.getMessage()), e);
    }
  }

  /** A customer by name. */
  static Customer customer(Workbench bench, String name) throws TenantException {
    return bench
        .tenants()
        .findCustomer(name)
        .orElseThrow(
            () ->
                new TenantException(
                    "no customer named \"" + name + "\"; 'admin customer list' shows all"));
  }
}
