package net.postern.cli;

import net.postern.tenant.SenderEntry;
import net.postern.tenant.SenderList;
import net.postern.tenant.SenderLists;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin list}. */
@Command(
    name = "list",
    description =
        "Safelists and blocklists of customers and users: whose mail is always or never taken.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class ListAdmin extends NeedsSubcommand {
  private static final String ENTRY =
      "ann@example.com, example.com, .example.com (with all below), 192.0.2.1 or 192.0.2.0/24.";

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  /** The one word of the command line, in lower case there. */
  enum Kind {
    safe(SenderList.Kind.SAFE),
    block(SenderList.Kind.BLOCK);

    private final SenderList.Kind kind;

    Kind(SenderList.Kind kind) {
      this.kind = kind;
    }
  }

  @Command(
      name = "add",
      description = "Adds an entry, or changes its kind.",
      mixinStandardHelpOptions = true)
  int add(
      @ArgGroup(multiplicity = "1") ListOwner owner,
      @Parameters(paramLabel = "safe|block") Kind kind,
      @Parameters(paramLabel = "ENTRY", description = ENTRY) String entry) {
    return admin.with(
        (bench, out) -> {
          SenderEntry added = bench.senderLists().add(owner.find(bench), kind.kind, entry);
          out.println("%s: %s %s".formatted(owner.shown(), kind, added));
          if (kind == Kind.safe && !(added instanceof SenderEntry.Clients)) {
            out.println(
                "it counts for senders whose SPF record lets the client send for the domain");
          }
          return Exit.OK;
        });
  }

  @Command(name = "remove", description = "Removes an entry.", mixinStandardHelpOptions = true)
  int remove(
      @ArgGroup(multiplicity = "1") ListOwner owner,
      @Parameters(paramLabel = "ENTRY", description = ENTRY) String entry) {
    return admin.with(
        (bench, out) -> {
          out.println(
              "%s: removed %s"
                  .formatted(owner.shown(), bench.senderLists().remove(owner.find(bench), entry)));
          return Exit.OK;
        });
  }

  @Command(name = "show", description = "Shows all entries.", mixinStandardHelpOptions = true)
  int show(@ArgGroup(multiplicity = "1") ListOwner owner) {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("kind", "entry", "since");
          for (SenderLists.Listed each : bench.senderLists().entries(owner.find(bench))) {
            table.row(each.kind(), each.entry(), each.added());
          }
          table.print(out);
          return Exit.OK;
        });
  }
}
