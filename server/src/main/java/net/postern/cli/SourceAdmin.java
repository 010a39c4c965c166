package net.postern.cli;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import net.postern.config.Durations;
import net.postern.node.Workbench;
import net.postern.source.Block;
import net.postern.source.Source;
import net.postern.source.SourceDesk;
import net.postern.source.Standing;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin source}. */
@Command(
    name = "source",
    description = "Client addresses and networks: what is known of them, and the block list.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class SourceAdmin extends NeedsSubcommand {
  private static final String SOURCE =
      "An address, or a network: 192.0.2.1, 192.0.2.0/24, 2001:db8:0:1::/64, 2001:db8::/48.";
  private static final Duration LONGEST = Duration.ofDays(3650);

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "list",
      description = "Lists sources that are blocked now.",
      mixinStandardHelpOptions = true)
  int list(@Option(names = "--max", paramLabel = "N", defaultValue = "100") int max) {
    return with(
        (desk, bench) -> {
          List<Block> blocked = desk.blocked(Math.max(1, max));
          if (blocked.isEmpty()) {
            bench.println("no source is blocked");
            return Exit.OK;
          }
          Table table = new Table("source", "kind", "time", "since", "until", "why");
          for (Block each : blocked) {
            table.row(
                each.source(),
                each.kind().name().toLowerCase(Locale.ROOT),
                each.offence(),
                each.since(),
                each.until(),
                each.why());
          }
          table.print(bench);
          return Exit.OK;
        });
  }

  @Command(
      name = "show",
      description = "Shows what is known of a source, and of its network.",
      mixinStandardHelpOptions = true)
  int show(@Parameters(paramLabel = "SOURCE", description = SOURCE) String text) {
    Source source = source(text);
    return with(
        (desk, out) -> {
          Table table = new Table("source", "name", "good", "bad", "block");
          row(table, desk.account(source));
          if (!source.isNetwork()) {
            row(table, desk.account(source.network()));
          }
          table.print(out);
          return Exit.OK;
        });
  }

  private static void row(Table table, SourceDesk.Account account) {
    Standing standing = account.standing();
    table.row(
        account.source(),
        standing.grade().name().toLowerCase(Locale.ROOT),
        String.format(Locale.ROOT, "%.1f", standing.good()),
        String.format(Locale.ROOT, "%.1f", standing.bad()),
        account.blocks().isEmpty()
            ? "never"
            : account.blocks().stream().map(SourceAdmin::shown).collect(Collectors.joining("; ")));
  }

  private static String shown(Block block) {
    return "%s, time %d, until %s: %s"
        .formatted(
            block.kind().name().toLowerCase(Locale.ROOT),
            block.offence(),
            block.until(),
            block.why());
  }

  @Command(
      name = "block",
      description = "Blocks a source on all nodes.",
      mixinStandardHelpOptions = true)
  int block(
      @Parameters(paramLabel = "SOURCE", description = SOURCE) String text,
      @Option(
              names = "--for",
              paramLabel = "DURATION",
              defaultValue = "1d",
              description = "Such as 2h or 30d; default: ${DEFAULT-VALUE}.")
          String length,
      @Option(
              names = "--why",
              paramLabel = "TEXT",
              defaultValue = "blocked by the administrator",
              description = "Its clients read it; default: ${DEFAULT-VALUE}.")
          String why) {
    Source source = source(text);
    Duration duration =
        Durations.parse(length)
            .filter(each -> each.isPositive() && each.compareTo(LONGEST) <= 0)
            .orElseThrow(
                () ->
                    new CommandFailure(
                        Exit.USAGE,
                        "\""
                            + length
                            + "\" is no duration up to 3650d; write one such as 2h or 30d"));
    if (why.isBlank() || why.length() > 200 || why.chars().anyMatch(c -> c < 0x20 || c > 0x7e)) {
      throw new CommandFailure(
          Exit.USAGE, "--why takes up to 200 ASCII characters: clients read it in a reply");
    }
    return with(
        (desk, out) -> {
          Block block = desk.block(source, duration, why);
          out.println(source + " is blocked until " + block.until());
          return Exit.OK;
        });
  }

  @Command(
      name = "unblock",
      description = "Takes a source off the block list and forgets that it was there.",
      mixinStandardHelpOptions = true)
  int unblock(@Parameters(paramLabel = "SOURCE", description = SOURCE) String text) {
    Source source = source(text);
    return with(
        (desk, out) -> {
          List<Block> was = desk.unblock(source);
          if (was.isEmpty()) {
            throw new CommandFailure(
                Exit.NEGATIVE, source + " is not blocked; 'admin source list' shows who is");
          }
          out.println(source + " is served again");
          return Exit.OK;
        });
  }

  private static Source source(String text) {
    return Source.parse(text)
        .orElseThrow(
            () ->
                new CommandFailure(
                    Exit.USAGE,
                    "\""
                        + text
                        + "\" is no source; write an IPv4 address or /24, or an IPv6"
                        + " address, /64 or /48"));
  }

  @FunctionalInterface
  private interface Work {
    int run(SourceDesk desk, java.io.PrintWriter out) throws SQLException;
  }

  private int with(Work work) {
    return admin.with(
        (Workbench bench, java.io.PrintWriter out) -> {
          try {
            return work.run(bench.sources(), out);
          } catch (SQLException e) {
            throw new CommandFailure(
                Exit.NEGATIVE, "the database does not answer: " + e.getMessage(), e);
          }
        });
  }
}
