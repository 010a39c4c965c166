package net.postern.cli;

/** Exit codes of every command; those from 64 on as in BSD's sysexits.h. */
public final class Exit {
  /** Done, and the outcome is good. */
  public static final int OK = 0;

  /** Done, and the outcome is not good: a check found problems, a sample went wrong. */
  public static final int NEGATIVE = 1;

  /** The command line is wrong, or the input that it names cannot be read. */
  public static final int USAGE = 2;

  /** A defect of the program. */
  public static final int INTERNAL = 70;

  /** The configuration is wrong, or this machine does not allow what it asks for. */
  public static final int CONFIGURATION = 78;

  private Exit() {}
}
