package net.postern.edge.check;

import java.util.regex.Pattern;
import net.postern.events.MailEvent.Stage;

/**
 * What is told of a check: its one name in configuration, log, metrics and documentation, when it
 * runs, and what a client reads that it refuses.
 *
 * @param name lower case words joined by underscores
 * @param on whether it runs when nobody said otherwise
 * @param byCustomer whether a customer may switch it for the customer's own recipients
 * @param what it looks at and why, one sentence
 * @param reply the reply that it gives, as an example; empty when it never refuses
 */
public record About(
    String name, Stage stage, boolean on, boolean byCustomer, String what, String reply) {
  private static final Pattern NAME = Pattern.compile("[a-z]+(_[a-z]+)*");

  public About {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("no name of a check: " + name);
    }
  }
}
