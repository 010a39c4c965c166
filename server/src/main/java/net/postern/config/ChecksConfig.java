package net.postern.config;

import java.util.List;

@Doc("What is asked of a client before its mail is taken; docs/checks.md lists all checks.")
public record ChecksConfig(
    @Doc("Checks that are to run though they do not by default.")
        @Default("")
        @Example("[\"greet_pause\"]")
        List<String> on,
    @Doc("Checks that are not to run.") @Default("") @Example("[\"greet_pause\"]") List<String> off,
    @Doc("What a sender gets whose domain's SPF record says -all about it; a customer may choose.")
        @Default("note")
        OnFail spfFail) {

  /** What follows from a test that was not passed. */
  public enum OnFail {
    /** The filter weighs it. */
    NOTE,
    /** The mail is refused. */
    REFUSE
  }
}
