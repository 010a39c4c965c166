package net.postern.edge.check;

import java.time.Duration;

/**
 * What the checks of a connection look at.
 *
 * @param wire for listening to a client that has not been greeted
 */
public record Connect(Client client, Wire wire) {

  /** A client that cannot be listened to. */
  public Connect(Client client) {
    this(client, wait -> Heard.NOTHING);
  }

  /** The connection, before a word was said. */
  @FunctionalInterface
  public interface Wire {

    /** Waits, and listens meanwhile; returns early when there is something. */
    Heard listen(Duration wait);
  }

  /** What there was. */
  public enum Heard {
    NOTHING,
    /** The client speaks. */
    SPEECH,
    /** The connection was closed, or cannot be listened to. */
    END
  }
}
