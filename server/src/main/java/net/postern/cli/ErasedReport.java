package net.postern.cli;

import java.io.PrintWriter;
import net.postern.keys.KeyRing;
import net.postern.keys.KeyUpkeep;
import net.postern.node.Erasing;

/** What is said after something was erased. */
final class ErasedReport {
  private ErasedReport() {}

  /** Prints it; returns the exit code. */
  static int print(PrintWriter out, Erasing.Outcome outcome) {
    out.println("%d open deliveries ended as removed".formatted(outcome.removed()));
    out.println(
        "running nodes forget the key within %d s; one that cannot reach the database within %d min"
            .formatted(KeyUpkeep.INTERVAL.toSeconds(), KeyRing.CACHE_LIFE.toMinutes()));
    outcome
        .unended()
        .ifPresent(
            why ->
                out.println("not all open deliveries ended yet; a running node ends them: " + why));
    if (outcome.lacking().isEmpty()) {
      out.println("every store has the tombstone");
      return outcome.unended().isEmpty() ? Exit.OK : Exit.NEGATIVE;
    }
    outcome.lacking().forEach(why -> out.println("still has the key: " + why));
    out.println("a running node brings the tombstone there when the store is back");
    return Exit.NEGATIVE;
  }
}
