package net.postern.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.config.SubmissionConfig;
import net.postern.id.MailboxId;
import net.postern.ledger.ErasedMail;
import net.postern.node.Erasing;
import net.postern.tenant.Erasures;
import net.postern.tenant.PasswordHash;
import net.postern.tenant.TenantException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin user}. */
@Command(
    name = "user",
    description = "Users and their addresses.",
    mixinStandardHelpOptions = true,
    subcommands = AppPasswordAdmin.class,
    synopsisSubcommandLabel = "COMMAND")
final class UserAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  AdminCommand admin() {
    return admin;
  }

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
      name = "password",
      description = {
        "Sets the password that a user logs in with to send mail.",
        "It is read from standard input, one line, unless --generate or --remove is given."
      },
      mixinStandardHelpOptions = true)
  int password(
      @Parameters(paramLabel = "ADDRESS") String address,
      @Option(names = "--generate", description = "Makes one, and prints it.") boolean generate,
      @Option(
              names = "--remove",
              description = "Takes it away, and app passwords: nobody logs in as this user.")
          boolean remove) {
    EmailAddress user = address(address);
    if (generate && remove) {
      throw new CommandFailure(Exit.USAGE, "--generate and --remove are two things; give one");
    }
    return admin.with(
        (bench, out) -> {
          if (remove) {
            boolean had = bench.accounts().removePassword(user);
            out.println(user + (had ? " has no password any more" : " had no password"));
            return Exit.OK;
          }
          String password = generate ? bench.accounts().generate() : readLine();
          SubmissionConfig config = bench.config().submission();
          bench.accounts().setPassword(user, password, form(config), config.scram());
          out.println(generate ? password : "the password of " + user + " is set");
          return Exit.OK;
        });
  }

  static PasswordHash form(SubmissionConfig config) {
    return new PasswordHash(
        Math.toIntExact(config.hashMemory().bytes() / 1024), config.hashPasses());
  }

  private static String readLine() {
    try {
      // Not closed: standard input is the process's.
      String line =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
      if (line == null) {
        throw new CommandFailure(
            Exit.USAGE, "no password on standard input; write one line, or use --generate");
      }
      return line;
    } catch (IOException e) {
      throw new CommandFailure(Exit.USAGE, "standard input cannot be read: " + e.getMessage(), e);
    }
  }

  @Command(
      name = "limits",
      description = {
        "Sets how much a user may send, where that differs from the configuration.",
        "What is not given is as configured."
      },
      mixinStandardHelpOptions = true)
  int limits(@Parameters(paramLabel = "ADDRESS") String address, @Mixin LimitOptions limits) {
    EmailAddress user = address(address);
    return admin.with(
        (bench, out) -> {
          bench.accounts().limit(user, limits.read());
          out.println("the limits of " + user + " are set");
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
