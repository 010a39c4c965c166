package net.postern.cli;

import java.util.List;
import net.postern.address.EmailAddress;
import net.postern.tenant.Groups;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin group}. */
@Command(
    name = "group",
    description = "Addresses whose mail goes to several.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class GroupAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(name = "add", description = "Adds a group.", mixinStandardHelpOptions = true)
  int add(
      @Parameters(paramLabel = "GROUP") String group,
      @Parameters(
              paramLabel = "MEMBER",
              arity = "1..*",
              description = "Users, aliases, groups, or addresses elsewhere.")
          List<String> members) {
    EmailAddress address = UserAdmin.address(group);
    List<EmailAddress> of = addresses(members);
    return admin.with(
        (bench, out) -> {
          bench.groups().add(address, of);
          out.println("added group " + address + " with " + of.size() + " members");
          return Exit.OK;
        });
  }

  @Command(
      name = "member",
      description = "Adds members to a group, or takes them out.",
      mixinStandardHelpOptions = true)
  int member(
      @Parameters(paramLabel = "GROUP") String group,
      @Parameters(paramLabel = "MEMBER", arity = "1..*") List<String> members,
      @Option(names = "--remove", description = "Take them out.") boolean remove) {
    EmailAddress address = UserAdmin.address(group);
    List<EmailAddress> of = addresses(members);
    return admin.with(
        (bench, out) -> {
          if (remove) {
            bench.groups().removeMembers(address, of);
          } else {
            bench.groups().addMembers(address, of);
          }
          out.println((remove ? "took out of " : "added to ") + address + ": " + of);
          return Exit.OK;
        });
  }

  @Command(name = "remove", description = "Takes a group away.", mixinStandardHelpOptions = true)
  int remove(@Parameters(paramLabel = "GROUP") String group) {
    EmailAddress address = UserAdmin.address(group);
    return admin.with(
        (bench, out) -> {
          bench.groups().remove(address);
          out.println("removed group " + address);
          return Exit.OK;
        });
  }

  @Command(
      name = "list",
      description = "Lists a domain's groups and their members, and which of these do not exist.",
      mixinStandardHelpOptions = true)
  int list(@Parameters(paramLabel = "DOMAIN") String domain) {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("group", "from", "member", "");
          for (Groups.Listed each : bench.groups().list(domain)) {
            for (String member : each.members()) {
              table.row(
                  each.address(),
                  each.source(),
                  member,
                  each.unknown().contains(member) ? "does not exist" : "");
            }
          }
          table.print(out);
          return Exit.OK;
        });
  }

  private static List<EmailAddress> addresses(List<String> members) {
    return members.stream().map(UserAdmin::address).toList();
  }
}
