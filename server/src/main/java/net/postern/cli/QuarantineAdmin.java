package net.postern.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.MessageView;
import net.postern.quarantine.Quarantine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin quarantine}. */
@Command(
    name = "quarantine",
    description = "Mail that is held.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class QuarantineAdmin extends NeedsSubcommand {
  private static final String RECIPIENT = "Only for this recipient; otherwise for all.";

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(name = "list", description = "Lists held mail.", mixinStandardHelpOptions = true)
  int list(
      @Option(names = "--customer", paramLabel = "NAME") Optional<String> customer,
      @Option(names = "--max", paramLabel = "N", defaultValue = "100") int max) {
    return admin.with(
        (bench, out) -> {
          Optional<CustomerId> id = Optional.empty();
          if (customer.isPresent()) {
            id = Optional.of(AdminCommand.customer(bench, customer.get()).id());
          }
          Table table = new Table("id", "accepted", "from", "to", "bytes", "score", "why");
          for (MessageView each : bench.quarantine().list(id, max)) {
            table.row(
                each.key().message(),
                each.acceptedAt(),
                each.reversePath().orElse("<>"),
                each.recipient(),
                each.bytes(),
                String.format(Locale.ROOT, "%.1f", each.score()),
                each.rule());
          }
          if (table.isEmpty()) {
            out.println("nothing is held");
          } else {
            table.print(out);
          }
          return Exit.OK;
        });
  }

  @Command(
      name = "show",
      description = "Writes a held message to standard output, as it was accepted.",
      mixinStandardHelpOptions = true)
  int show(@Parameters(paramLabel = "ID") String id) {
    return admin.with(
        (bench, out) -> {
          List<MessageView> found =
              bench.messages().find(message(id)).stream()
                  .filter(each -> each.state() == DeliveryState.HELD)
                  .toList();
          if (found.isEmpty()) {
            throw new CommandFailure(
                Exit.NEGATIVE, "message " + id + " is not held for anyone; see 'admin trace'");
          }
          byte[] content = bench.quarantine().read(found.getFirst());
          out.flush();
          try {
            // Bytes stay bytes: not through a writer.
            System.out.write(content);
            System.out.flush();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          return Exit.OK;
        });
  }

  @Command(
      name = "release",
      description = "Delivers a held message.",
      mixinStandardHelpOptions = true)
  int release(
      @Parameters(paramLabel = "ID") String id,
      @Option(names = "--recipient", paramLabel = "ADDRESS", description = RECIPIENT)
          Optional<String> recipient) {
    return change(id, recipient, "released", Quarantine::release);
  }

  @Command(name = "delete", description = "Ends a held message.", mixinStandardHelpOptions = true)
  int delete(
      @Parameters(paramLabel = "ID") String id,
      @Option(names = "--recipient", paramLabel = "ADDRESS", description = RECIPIENT)
          Optional<String> recipient) {
    return change(id, recipient, "deleted", Quarantine::delete);
  }

  /** What is done to held deliveries: those of one recipient or all, by someone. */
  @FunctionalInterface
  private interface Change {
    List<MessageView> apply(
        Quarantine quarantine, MessageId message, Optional<Integer> number, String by);
  }

  private int change(String id, Optional<String> recipient, String done, Change change) {
    return admin.with(
        (bench, out) -> {
          MessageId message = message(id);
          Optional<Integer> number = number(bench.messages().find(message), id, recipient);
          List<MessageView> changed = change.apply(bench.quarantine(), message, number, user());
          if (changed.isEmpty()) {
            throw new CommandFailure(Exit.NEGATIVE, "message " + id + " is not held for anyone");
          }
          for (MessageView each : changed) {
            out.println(done + " " + id + " for " + each.recipient());
          }
          return Exit.OK;
        });
  }

  static MessageId message(String id) {
    try {
      return MessageId.parse(id);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(Exit.USAGE, "\"" + id + "\" is no message id, such as the log has");
    }
  }

  private static Optional<Integer> number(
      List<MessageView> found, String id, Optional<String> recipient) {
    if (recipient.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        found.stream()
            .filter(each -> each.recipient().equalsIgnoreCase(recipient.get()))
            .findFirst()
            .orElseThrow(
                () ->
                    new CommandFailure(
                        Exit.NEGATIVE, "message " + id + " has no recipient " + recipient.get()))
            .key()
            .number());
  }

  private static String user() {
    return System.getProperty("user.name", "admin");
  }
}
