package net.postern.demo;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.MessageView;

/** Prints what happened, for people. */
final class Report {
  private static final String ROW = "%-24s%-44s%-12s%7s  %-20s%s";
  private static final int REPLY = 42;

  // As Policy writes it.
  private static final Pattern SCORE = Pattern.compile("\\(score (-?[0-9.]+) of .*?\\)");

  private final PrintWriter out;
  private final Path data;

  /**
   * @param data paths below it are printed from there on
   */
  Report(PrintWriter out, Path data) {
    this.out = out;
    this.data = data;
  }

  void title() {
    line(ROW.formatted("sample", "SMTP reply", "verdict", "score", "what became of it", "check"));
  }

  /** A row, and below it the reasons. */
  void sample(Outcome outcome) {
    String reply = outcome.said().text();
    Matcher score = SCORE.matcher(reply);
    String verdict = "-";
    String points = "-";
    String why = "at " + outcome.said().stage() + ": " + reply;
    if (!outcome.deliveries().isEmpty()) {
      MessageView first = outcome.deliveries().getFirst();
      verdict = first.verdict();
      points = String.format(Locale.ROOT, "%.1f", first.score());
      why = first.findings().isEmpty() ? "nothing found" : first.findings();
    } else if (score.find()) {
      verdict = "REJECT";
      points = score.group(1);
    }
    line(
        ROW.formatted(
            outcome.sample().name(),
            shortened(reply),
            verdict,
            points,
            became(outcome),
            outcome.ok() ? "ok" : "NOT ok"));
    line("    why: " + why);
    for (int i = 0; i < outcome.deliveries().size(); i++) {
      line("    " + delivery(outcome, i));
    }
    for (String wrong : outcome.wrong()) {
      line("    NOT ok: " + wrong);
    }
  }

  private static String became(Outcome outcome) {
    if (outcome.id().isEmpty()) {
      return Sample.Ended.REFUSED.words();
    }
    List<DeliveryState> states =
        outcome.deliveries().stream().map(MessageView::state).distinct().toList();
    if (states.size() != 1) {
      return "several: " + states;
    }
    return switch (states.getFirst()) {
      case DELIVERED ->
          outcome.deliveries().getFirst().verdict().equals("FLAG")
              ? Sample.Ended.FLAGGED.words()
              : Sample.Ended.DELIVERED.words();
      case HELD -> Sample.Ended.HELD.words();
      case WAITING, IN_PROGRESS -> "not delivered yet";
      case RETURNED -> "returned";
      case REMOVED -> "removed";
    };
  }

  private String delivery(Outcome outcome, int index) {
    MessageView view = outcome.deliveries().get(index);
    String where =
        switch (view.state()) {
          case DELIVERED -> delivered(outcome, view);
          case HELD -> "quarantine, " + view.rule();
          case WAITING, IN_PROGRESS, RETURNED, REMOVED -> view.state() + " " + view.reply();
        };
    return view.recipient() + ": " + where;
  }

  private String delivered(Outcome outcome, MessageView view) {
    Optional<Path> file =
        outcome.files().stream().filter(each -> view.reply().contains(stem(each))).findFirst();
    if (file.isEmpty()) {
      return view.reply();
    }
    Path shown = data.relativize(file.get());
    return view.reply().startsWith("stored as ")
        ? "Maildir, " + shown
        : "the customer's server (" + view.reply() + "), " + shown;
  }

  private static String stem(Path file) {
    return String.valueOf(file.getFileName()).replace(".eml", "");
  }

  void check(Check check) {
    line("%-8s%-18s%s".formatted(check.ok() ? "ok" : "NOT ok", check.what(), check.detail()));
  }

  private static String shortened(String text) {
    return text.length() <= REPLY ? text : text.substring(0, REPLY - 3) + "...";
  }

  // What a server said must not steer the terminal.
  private void line(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.chars().forEach(c -> line.append(Character.isISOControl(c) ? '?' : (char) c));
    out.println(line.toString().stripTrailing());
  }
}
