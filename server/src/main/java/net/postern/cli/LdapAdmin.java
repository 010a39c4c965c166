package net.postern.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.ldap.LdapFailure;
import net.postern.ldap.LdapSources;
import net.postern.ldap.LdapSync;
import net.postern.node.Workbench;
import net.postern.tenant.Customer;
import net.postern.tenant.DirectorySnapshot;
import net.postern.tenant.DirectorySource;
import net.postern.tenant.DirectorySources;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.TenantException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin ldap}. */
@Command(
    name = "ldap",
    description = "Customers' users and groups from their LDAP or Active Directory.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class LdapAdmin extends NeedsSubcommand {
  /** What a test shows of each kind. */
  private static final int SHOWN = 10;

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "set",
      description = "Sets where a customer's users come from; the first sync begins at once.",
      mixinStandardHelpOptions = true)
  int set(
      @Parameters(paramLabel = "CUSTOMER") String name,
      @Option(
              names = "--url",
              required = true,
              paramLabel = "URL",
              description = "ldaps://host or ldap://host; several are tried in order.")
          List<String> urls,
      @Option(names = "--starttls", description = "TLS on connections to ldap://.")
          boolean startTls,
      @Option(
              names = "--allow-plain",
              description = "Send the password without TLS; only for a network nobody listens on.")
          boolean allowPlain,
      @Option(
              names = "--ca",
              paramLabel = "FILE",
              description = "Certificates to trust, in PEM; default: those of Java.")
          Optional<Path> trusted,
      @Option(names = "--bind-dn", paramLabel = "DN", defaultValue = "") String bindDn,
      @Option(
              names = "--password-file",
              paramLabel = "FILE",
              description = "Its first line is the password; kept sealed.")
          Optional<Path> passwordFile,
      @Option(names = "--base", required = true, paramLabel = "DN") String base,
      @Option(
              names = "--shape",
              paramLabel = "SHAPE",
              defaultValue = "OPENLDAP",
              description = "One of: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
          DirectorySource.Shape shape,
      @Option(names = "--user-filter", paramLabel = "FILTER", defaultValue = "") String userFilter,
      @Option(names = "--group-filter", paramLabel = "FILTER", defaultValue = "")
          String groupFilter,
      @Option(
              names = "--mail-attribute",
              paramLabel = "NAME",
              description = "Where addresses are, the primary one's first.")
          List<String> mailAttributes,
      @Option(names = "--interval", paramLabel = "MINUTES", defaultValue = "15") int interval,
      @Option(
              names = "--grace",
              paramLabel = "HOURS",
              defaultValue = "72",
              description = "How long addresses of who is gone are still taken; default 72.")
          int grace,
      @Option(
              names = "--max-gone",
              paramLabel = "PERCENT",
              defaultValue = "20",
              description = "With more entries gone at once nothing is changed; default 20.")
          int maxGone) {
    LdapSources.check(urls, base, userFilter, groupFilter)
        .ifPresent(
            problem -> {
              throw new CommandFailure(Exit.USAGE, problem);
            });
    Optional<String> password = passwordFile.map(LdapAdmin::firstLine);
    if (password.isPresent() && !allowPlain && !startTls && LdapSources.plain(urls)) {
      throw new CommandFailure(
          Exit.USAGE,
          "the password would be sent in the clear: use ldaps://, or --starttls, or say --allow-plain");
    }
    String pem = trusted.map(LdapAdmin::text).orElse("");
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          bench
              .directories()
              .set(
                  new DirectorySource(
                      customer.id(),
                      urls,
                      startTls,
                      pem,
                      bindDn,
                      password,
                      base,
                      shape,
                      userFilter,
                      groupFilter,
                      Optional.ofNullable(mailAttributes).orElse(List.of()),
                      Duration.ofMinutes(interval),
                      Duration.ofHours(grace),
                      maxGone));
          out.println(
              "users of \"%s\" come from %s; 'admin ldap test' shows what is there"
                  .formatted(name, String.join(", ", urls)));
          return Exit.OK;
        });
  }

  @Command(
      name = "test",
      description = "Reads a customer's directory, shows what it has, and changes nothing.",
      mixinStandardHelpOptions = true)
  int test(@Parameters(paramLabel = "CUSTOMER") String name) {
    return admin.with(
        (bench, out) -> {
          DirectorySource source = source(bench, AdminCommand.customer(bench, name));
          LdapSync.Looked looked;
          try {
            looked = LdapSync.look(source);
          } catch (LdapFailure e) {
            throw new CommandFailure(
                Exit.NEGATIVE, "the directory cannot be read: " + e.getMessage(), e);
          }
          DirectorySnapshot found = looked.snapshot();
          out.println(
              "%d people and %d groups with addresses"
                  .formatted(found.people().size(), found.groups().size()));
          found.people().stream()
              .limit(SHOWN)
              .forEach(each -> out.println("  " + each.addresses()));
          found.groups().stream()
              .limit(SHOWN)
              .forEach(
                  each ->
                      out.println(
                          "  group %s with %d members"
                              .formatted(each.addresses(), each.members().size())));
          looked.notes().stream().limit(SHOWN).forEach(each -> out.println("note: " + each));
          return Exit.OK;
        });
  }

  @Command(name = "sync", description = "Syncs a customer now.", mixinStandardHelpOptions = true)
  int sync(
      @Parameters(paramLabel = "CUSTOMER") String name,
      @Option(
              names = "--accept-shrink",
              description = "Apply it though many entries are gone at once.")
          boolean acceptShrink) {
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          DirectorySource _ = source(bench, customer);
          DirectorySync.Applied applied = bench.ldap().run(customer.id(), acceptShrink);
          out.println(
              "%d users, %d groups; %d addresses are new or changed, %d end after the grace"
                  .formatted(applied.users(), applied.groups(), applied.added(), applied.ending()));
          applied.conflicts().forEach(each -> out.println("note: " + each));
          return Exit.OK;
        });
  }

  @Command(
      name = "status",
      description = "What the last sync of a customer came to; 1 when it was not applied.",
      mixinStandardHelpOptions = true)
  int status(@Parameters(paramLabel = "CUSTOMER") String name) {
    return admin.with(
        (bench, out) -> {
          Customer customer = AdminCommand.customer(bench, name);
          DirectorySource source = source(bench, customer);
          DirectorySources.Status status =
              bench.directories().status(customer.id()).orElseThrow(() -> none(name));
          describe(out, source, status);
          return status.trouble().isEmpty() ? Exit.OK : Exit.NEGATIVE;
        });
  }

  private static void describe(
      PrintWriter out, DirectorySource source, DirectorySources.Status status) {
    out.println("servers   " + String.join(", ", source.urls()));
    out.println("base      " + source.baseDn());
    out.println("shape     " + source.shape().name().toLowerCase(Locale.ROOT));
    out.println("applied   " + status.appliedAt().map(Instant::toString).orElse("never"));
    out.println("users     " + status.users());
    out.println("groups    " + status.groups());
    out.println("tried     " + status.triedAt().map(Instant::toString).orElse("never"));
    out.println("next      " + status.nextAt());
    if (!status.trouble().isEmpty()) {
      out.println("trouble   " + status.trouble());
    }
    status.detail().lines().forEach(each -> out.println("note      " + each));
  }

  @Command(
      name = "remove",
      description = "Ends the sync. Users and groups stay, and are looked after by hand.",
      mixinStandardHelpOptions = true)
  int remove(@Parameters(paramLabel = "CUSTOMER") String name) {
    return admin.with(
        (bench, out) -> {
          if (!bench.directories().remove(AdminCommand.customer(bench, name).id())) {
            throw none(name);
          }
          out.println("users of \"" + name + "\" are looked after by hand");
          return Exit.OK;
        });
  }

  private static DirectorySource source(Workbench bench, Customer customer) throws TenantException {
    return bench.directories().find(customer.id()).orElseThrow(() -> none(customer.name()));
  }

  private static CommandFailure none(String name) {
    return new CommandFailure(
        Exit.NEGATIVE, "\"" + name + "\" has no directory; 'admin ldap set' sets one");
  }

  private static String firstLine(Path file) {
    return text(file).lines().findFirst().orElse("");
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new CommandFailure(Exit.USAGE, "cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
