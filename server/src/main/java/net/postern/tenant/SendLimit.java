package net.postern.tenant;

import java.util.OptionalInt;

/**
 * How much may be sent, where that differs from the configuration: messages and recipients in any
 * hour and any day. Empty: as configured.
 */
public record SendLimit(
    OptionalInt messagesHour,
    OptionalInt messagesDay,
    OptionalInt recipientsHour,
    OptionalInt recipientsDay) {

  /** Everything as configured. */
  public static final SendLimit NONE =
      new SendLimit(
          OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());
}
