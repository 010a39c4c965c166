package net.postern.source;

import java.time.Duration;

/** Whether a source may go on as fast as it does. */
public sealed interface Pace {

  /** It may. */
  record Free() implements Pace {}

  /** Over its limit: it waits a little each time. */
  record Slow(Duration delay) implements Pace {}

  /** Over twice its limit: not now. */
  record Stop() implements Pace {}
}
