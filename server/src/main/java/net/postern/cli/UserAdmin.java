package net.postern.cli;

import net.postern.address.EmailAddress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin user}. */
@Command(
    name = "user",
    description = "Users and their addresses.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class UserAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(name = "add", description = "Adds a user.", mixinStandardHelpOptions = true)
  int add(@Parameters(paramLabel = "ADDRESS") String address) {
    EmailAddress parsed = address(address);
    return admin.with(
        (bench, out) -> {
          bench.tenants().addUser(parsed);
          out.println("added user " + parsed);
          return Exit.OK;
        });
  }

  @Command(
      name = "alias",
      description = "Gives a user another address.",
      mixinStandardHelpOptions = true)
  int alias(
      @Parameters(paramLabel = "ALIAS") String alias,
      @Parameters(paramLabel = "USER") String user) {
    EmailAddress newAddress = address(alias);
    EmailAddress of = address(user);
    return admin.with(
        (bench, out) -> {
          bench.tenants().addAlias(newAddress, of);
          out.println("added " + newAddress + " for " + of);
          return Exit.OK;
        });
  }

  @Command(
      name = "list",
      description = "Lists a domain's addresses.",
      mixinStandardHelpOptions = true)
  int list(@Parameters(paramLabel = "DOMAIN") String domain) {
    return admin.with(
        (bench, out) -> {
          bench.tenants().users(domain).forEach(out::println);
          return Exit.OK;
        });
  }

  static EmailAddress address(String text) {
    return EmailAddress.parse(text)
        .orElseThrow(() -> new CommandFailure(Exit.USAGE, "\"" + text + "\" is no mail address"));
  }
}
