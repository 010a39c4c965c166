package net.postern.auth;

/** Ends an evaluation at once (RFC 7208 §2.6.6, §2.6.7). Has no stack: it is no surprise. */
final class SpfStopException extends Exception {
  private static final long serialVersionUID = 1;

  private final SpfResult.Code code;
  private final String problem;

  SpfStopException(SpfResult.Code code, String problem) {
    super(problem, null, false, false);
    this.code = code;
    this.problem = problem;
  }

  SpfResult.Code code() {
    return code;
  }

  String problem() {
    return problem;
  }
}
