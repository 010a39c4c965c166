package net.postern.edge.check;

import java.util.List;
import net.postern.tenant.Directory;

/** The checks of {@code RCPT}, in the order in which they run; the first refusal counts. */
public final class RecipientChecks {
  private RecipientChecks() {}

  public static List<RecipientCheck> inOrder(Directory directory) {
    return List.of(
        new RelayControl(directory), // is the domain ours, or may the client relay?
        new KnownRecipient()); // does the user exist?
  }
}
