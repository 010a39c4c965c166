package net.postern.cli;

import net.postern.address.EmailAddress;
import net.postern.tenant.Tenants;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin alias}. */
@Command(
    name = "alias",
    description = "Further addresses of users.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class AliasAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "add",
      description = "Gives a user another address.",
      mixinStandardHelpOptions = true)
  int add(
      @Parameters(paramLabel = "ALIAS") String alias,
      @Parameters(paramLabel = "USER") String user) {
    EmailAddress newAddress = UserAdmin.address(alias);
    EmailAddress of = UserAdmin.address(user);
    return admin.with(
        (bench, out) -> {
          bench.tenants().addAlias(newAddress, of);
          out.println("added " + newAddress + " for " + of);
          return Exit.OK;
        });
  }

  @Command(
      name = "remove",
      description = "Takes an alias away; the mailbox and its mail stay.",
      mixinStandardHelpOptions = true)
  int remove(@Parameters(paramLabel = "ALIAS") String alias) {
    EmailAddress old = UserAdmin.address(alias);
    return admin.with(
        (bench, out) -> {
          bench.tenants().removeAlias(old);
          out.println("removed " + old);
          return Exit.OK;
        });
  }

  @Command(
      name = "list",
      description = "Lists a domain's aliases.",
      mixinStandardHelpOptions = true)
  int list(@Parameters(paramLabel = "DOMAIN") String domain) {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("alias", "user");
          for (Tenants.Alias each : bench.tenants().aliases(domain)) {
            table.row(each.address(), each.user());
          }
          table.print(out);
          return Exit.OK;
        });
  }
}
