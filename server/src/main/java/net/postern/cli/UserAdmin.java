package net.postern.cli;

import java.io.PrintWriter;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.MailboxId;
import net.postern.ledger.ErasedMail;
import net.postern.node.Erasing;
import net.postern.tenant.Erasures;
import net.postern.tenant.TenantException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
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

  @Command(
      name = "erase",
      description = {
        "Makes a mailbox's mail unreadable for ever, in every store: erases its key, and takes its"
            + " addresses away.",
        "Without --confirm it says what that would be."
      },
      mixinStandardHelpOptions = true)
  int erase(
      @Parameters(
              paramLabel = "ADDRESS",
              description = "One of its addresses; *@DOMAIN for a catch-all; or the mailbox's id.")
          String address,
      @Option(
              names = "--confirm",
              paramLabel = "ADDRESS",
              description = "The same again: it cannot be undone.")
          Optional<String> confirm) {
    return admin.with(
        (bench, out) -> {
          Erasures.Target target = target(bench.erasing().erasures(), address);
          if (!confirm.equals(Optional.of(address))) {
            describe(out, target, bench.erasing().open(target));
            throw new CommandFailure(
                Exit.USAGE, "to erase it, repeat what you named: --confirm '" + address + "'");
          }
          Erasing.Outcome outcome = bench.erasing().mailbox(target);
          out.println("erased mailbox " + target.mailbox() + " of " + target.customerName());
          return ErasedReport.print(out, outcome);
        });
  }

  private static Erasures.Target target(Erasures erasures, String text) throws TenantException {
    Optional<EmailAddress> address = EmailAddress.parse(text);
    if (address.isPresent()) {
      return erasures.find(address.get());
    }
    try {
      return erasures.find(MailboxId.parse(text));
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(
          Exit.USAGE, "\"" + text + "\" is no mail address and no mailbox's id", e);
    }
  }

  private static void describe(PrintWriter out, Erasures.Target target, ErasedMail.Open open) {
    out.println("mailbox    " + target.mailbox() + " of \"" + target.customerName() + "\"");
    out.println("addresses  " + String.join(", ", target.addresses()));
    out.println(
        "deliveries %d waiting and %d held end as removed".formatted(open.waiting(), open.held()));
    target.erasedAt().ifPresent(when -> out.println("erased     " + when));
  }

  static EmailAddress address(String text) {
    return EmailAddress.parse(text)
        .orElseThrow(() -> new CommandFailure(Exit.USAGE, "\"" + text + "\" is no mail address"));
  }
}
