package net.postern.cli;

import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.id.MailboxId;
import net.postern.tenant.LegalHold;
import net.postern.tenant.TenantException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin hold}. */
@Command(
    name = "hold",
    description = "Legal holds: while one stands, nothing that it covers is removed or erased.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class HoldAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(name = "set", description = "Sets a hold.", mixinStandardHelpOptions = true)
  int set(
      @Parameters(paramLabel = "CUSTOMER") String customer,
      @Option(
              names = "--user",
              paramLabel = "ADDRESS",
              description = "Only this user's mailbox; default: everything of the customer.")
          Optional<String> user,
      @Option(
              names = "--reason",
              paramLabel = "TEXT",
              required = true,
              description = "Kept on record: case, date, who asked.")
          String reason) {
    return admin.with(
        (bench, out) -> {
          Optional<MailboxId> mailbox = Optional.empty();
          if (user.isPresent()) {
            EmailAddress address =
                EmailAddress.parse(user.get())
                    .orElseThrow(
                        () -> new TenantException("\"" + user.get() + "\" is no e-mail address"));
            mailbox =
                Optional.of(
                    bench
                        .tenants()
                        .findMailbox(address)
                        .orElseThrow(() -> new TenantException("no user " + address)));
          }
          LegalHold hold =
              bench.holds().set(AdminCommand.customer(bench, customer), mailbox, reason);
          out.println("set legal hold " + hold.id());
          return Exit.OK;
        });
  }

  @Command(name = "release", description = "Releases a hold.", mixinStandardHelpOptions = true)
  int release(@Parameters(paramLabel = "ID", description = "As 'list' shows it.") UUID id) {
    return admin.with(
        (bench, out) -> {
          bench.holds().release(id);
          out.println("released legal hold " + id);
          return Exit.OK;
        });
  }

  @Command(
      name = "list",
      description = "Lists a customer's holds, also those that were released.",
      mixinStandardHelpOptions = true)
  int list(@Parameters(paramLabel = "CUSTOMER") String customer) {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("hold", "mailbox", "set", "released", "reason");
          for (LegalHold each : bench.holds().of(AdminCommand.customer(bench, customer).id())) {
            table.row(
                each.id(),
                each.mailbox().map(MailboxId::toString).orElse("all"),
                each.setAt(),
                each.releasedAt().map(Object::toString).orElse("-"),
                each.reason());
          }
          table.print(out);
          return Exit.OK;
        });
  }
}
