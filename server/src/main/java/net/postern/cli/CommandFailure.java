package net.postern.cli;

/** A command cannot do its work, for a reason that a person can mend. */
public final class CommandFailure extends RuntimeException {
  private final int code;

  /**
   * @param code one of {@link Exit}
   * @param message one line: what is wrong and what to do
   */
  public CommandFailure(int code, String message) {
    super(message);
    this.code = code;
  }

  public CommandFailure(int code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public int code() {
    return code;
  }
}
