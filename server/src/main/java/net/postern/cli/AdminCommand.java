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
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * {@code postern admin}: the provider's work from the command line, beside a running node or
 * without.
 */
@Command(
    name = "admin",
    description = "Customers, domains, users, routes, quarantine, message trace, ledger check.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CustomerAdmin.class,
      DomainAdmin.class,
      UserAdmin.class,
      RouteAdmin.class,
      QuarantineAdmin.class,
      TraceAdmin.class,
      LedgerAdmin.class
    })
final class AdminCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
  private CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "The node's configuration; default: $POSTERN_CONFIG, or postern.toml here.")
  private Path file = Path.of(System.getenv().getOrDefault("POSTERN_CONFIG", "postern.toml"));

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which one?");
  }

  /** Work with an installation. */
  @FunctionalInterface
  interface Work {
    int run(Workbench bench, PrintWriter out) throws TenantException, VaultUnavailableException;
  }

  /** Opens the installation, does the work, and turns its failures into one clear line. */
  int with(Work work) {
    try (Workbench bench = Workbench.open(ConfigLoader.load(file))) {
      return work.run(bench, spec.commandLine().getOut());
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
