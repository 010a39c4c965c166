package net.postern.intake;

/** Takes responsibility for a message, or says why not. Safe for many threads; blocks. */
@FunctionalInterface
public interface Intake {

  /**
   * Says nothing of a refusal to {@code Events}: the door that gives the reply does, for each
   * recipient, as it does for the messages that never come this far.
   *
   * @param content the message as the client sent it, dot-unstuffed, with CRLF line ends
   * @return the reply to give; never throws for anything a message can contain
   */
  IntakeResult accept(Envelope envelope, byte[] content) throws InterruptedException;
}
