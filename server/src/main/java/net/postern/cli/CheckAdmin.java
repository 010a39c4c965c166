package net.postern.cli;

import java.util.Optional;
import net.postern.edge.check.Choices;
import net.postern.tenant.SenderLists;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin check}. */
@Command(
    name = "check",
    description = "What customers and users choose of the checks at the edge, such as greylisting.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class CheckAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "set",
      description =
          "Chooses, such as 'greylist on', 'dnsbl off', 'dnsbl_threshold 8', 'spf refuse'.",
      mixinStandardHelpOptions = true)
  int set(
      @ArgGroup(multiplicity = "1") ListOwner owner,
      @Parameters(paramLabel = "NAME") String name,
      @Parameters(paramLabel = "VALUE", description = "'default' takes the choice back.")
          String value) {
    Optional<String> problem = Choices.problem(name, value);
    if (problem.isPresent()) {
      throw new CommandFailure(Exit.USAGE, problem.get());
    }
    return admin.with(
        (bench, out) -> {
          SenderLists.Owner whose = owner.find(bench);
          bench
              .senderLists()
              .choose(
                  whose,
                  name,
                  value.equals(Choices.DEFAULT) ? Optional.empty() : Optional.of(value));
          out.println("%s: %s %s".formatted(owner.shown(), name, value));
          return Exit.OK;
        });
  }

  @Command(name = "show", description = "Shows what was chosen.", mixinStandardHelpOptions = true)
  int show(@ArgGroup(multiplicity = "1") ListOwner owner) {
    return admin.with(
        (bench, out) -> {
          Table table = new Table("check", "chosen");
          bench.senderLists().choices(owner.find(bench)).forEach(table::row);
          table.print(out);
          return Exit.OK;
        });
  }
}
