package net.postern.filter.content;

import java.util.Set;

/** Comparison of host names by the part that somebody registered. */
public final class Domains {
  private Domains() {}

  private static final Set<String> SECOND_LEVEL =
      Set.of("co", "com", "net", "org", "ac", "gov", "edu", "or", "ne", "go", "gob", "gouv");

  /**
   * The registered domain of a host: the last two labels, three below suffixes like {@code co.uk}.
   * A rule of thumb; errs towards taking hosts for one site.
   */
  public static String registered(String host) {
    int last = host.lastIndexOf('.');
    if (last <= 0) {
      return host;
    }
    int second = host.lastIndexOf('.', last - 1);
    if (second < 0) {
      return host;
    }
    boolean countryCode = host.length() - last == 3;
    if (countryCode && SECOND_LEVEL.contains(host.substring(second + 1, last))) {
      int third = host.lastIndexOf('.', second - 1);
      return third < 0 ? host : host.substring(third + 1);
    }
    return host.substring(second + 1);
  }

  /** Whether two hosts belong to one registered domain. */
  public static boolean sameSite(String a, String b) {
    return registered(a).equals(registered(b));
  }
}
