package net.postern.cli;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import net.postern.address.EmailAddress;
import net.postern.config.SubmissionConfig;
import net.postern.tenant.AppPassword;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin user app-password}. */
@Command(
    name = "app-password",
    description = {
      "Passwords of a user's programs and devices, beside the user's own.",
      "Each logs in like that one, and can be taken back without the others."
    },
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class AppPasswordAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private UserAdmin user;

  @Command(
      name = "add",
      description = "Makes one and prints it; it is shown this once.",
      mixinStandardHelpOptions = true)
  int add(
      @Parameters(paramLabel = "ADDRESS") String address,
      @Parameters(paramLabel = "NAME", description = "What it is for, such as \"Anna's phone\".")
          String name) {
    EmailAddress of = UserAdmin.address(address);
    return user.admin()
        .with(
            (bench, out) -> {
              SubmissionConfig config = bench.config().submission();
              out.println(
                  bench
                      .accounts()
                      .addAppPassword(of, name, UserAdmin.form(config), config.scram()));
              return Exit.OK;
            });
  }

  @Command(
      name = "list",
      description = "Lists a user's app passwords, and when each was last used.",
      mixinStandardHelpOptions = true)
  int list(@Parameters(paramLabel = "ADDRESS") String address) {
    EmailAddress of = UserAdmin.address(address);
    return user.admin()
        .with(
            (bench, out) -> {
              Table table = new Table("name", "created", "last used");
              for (AppPassword each : bench.accounts().appPasswords(of)) {
                table.row(
                    each.name(),
                    shown(each.created()),
                    each.used().map(AppPasswordAdmin::shown).orElse("never"));
              }
              table.print(out);
              return Exit.OK;
            });
  }

  private static String shown(Instant at) {
    return at.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  @Command(
      name = "remove",
      description = "Takes one back: nobody logs in with it any more.",
      mixinStandardHelpOptions = true)
  int remove(
      @Parameters(paramLabel = "ADDRESS") String address,
      @Parameters(paramLabel = "NAME") String name) {
    EmailAddress of = UserAdmin.address(address);
    return user.admin()
        .with(
            (bench, out) -> {
              bench.accounts().removeAppPassword(of, name);
              out.println("removed the app password \"" + name + "\" of " + of);
              return Exit.OK;
            });
  }
}
