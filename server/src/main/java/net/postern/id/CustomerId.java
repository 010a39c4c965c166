package net.postern.id;

import java.util.UUID;

/** Names one customer. Random, so that it tells nothing when it is seen in a store. */
public record CustomerId(UUID value) {

  public static CustomerId create() {
    return new CustomerId(UUID.randomUUID());
  }

  /**
   * Reads what {@link #toString} wrote.
   *
   * @throws IllegalArgumentException when the text is no UUID
   */
  public static CustomerId parse(String text) {
    return new CustomerId(UUID.fromString(text));
  }

  @Override
  public String toString() {
    return value.toString();
  }
}
