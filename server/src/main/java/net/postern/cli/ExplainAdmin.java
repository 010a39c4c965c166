package net.postern.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import net.postern.events.Reference;
import net.postern.events.RefusalHelp;
import net.postern.ledger.MessageView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * {@code postern admin explain}: why a sender was refused who quotes the reference of the reply.
 */
@Command(
    name = "explain",
    description = "Why a sender was refused: by the reference that stands in the reply.",
    mixinStandardHelpOptions = true)
final class ExplainAdmin implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Parameters(paramLabel = "REF", description = "Thirteen letters and digits.")
  @SuppressWarnings("NullAway.Init") // required
  private String text;

  @Override
  public Integer call() {
    Optional<Reference> reference = Reference.parse(text);
    if (reference.isEmpty()) {
      throw new CommandFailure(
          Exit.USAGE,
          "%s is no reference: it has thirteen letters and digits, such as %s"
              .formatted(text, "4Q0D3RT2P0VXK"));
    }
    return admin.with(
        (bench, out) -> {
          List<MessageView.Step> steps = bench.messages().refused(reference.get());
          if (steps.isEmpty() && reference.get().reason().isEmpty()) {
            out.println("nothing is known of " + reference.get());
            return Exit.NEGATIVE;
          }
          print(out, reference.get(), steps, bench.messages().refusedUnkept(reference.get().at()));
          return Exit.OK;
        });
  }

  private static void print(
      PrintWriter out, Reference reference, List<MessageView.Step> steps, long unkept) {
    out.println(
        "%s: refused at %s%s"
            .formatted(
                reference,
                reference.at(),
                reference.reason().map(reason -> ", " + reason.name()).orElse("")));
    for (MessageView.Step each : steps) {
      out.println(
          "  %s%s"
              .formatted(
                  each.recipient().isEmpty() ? "" : "to " + each.recipient() + ": ",
                  each.detail()));
    }
    if (steps.isEmpty()) {
      out.println(
          unkept > 0
              ? "  its record was not kept: it was one of a flood, with %d more; the mail log has it"
                  .formatted(unkept)
              : "  its record is no longer kept; the mail log may have it");
    }
    reference
        .reason()
        .map(RefusalHelp::of)
        .ifPresent(
            help -> {
              out.println("meaning: " + help.meaning());
              out.println("the sender can: " + help.advice());
            });
  }
}
