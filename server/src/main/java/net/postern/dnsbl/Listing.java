package net.postern.dnsbl;

/**
 * Something is on a list.
 *
 * @param zone name of the list
 * @param asked the address or domain that is listed
 * @param code the answer, such as {@code 127.0.0.4}
 * @param weight negative for an allow list
 * @param what it means
 * @param more the list's own words or its page, for the sender: printable ASCII; or empty, as for
 *     all but the one that weighs most
 */
public record Listing(
    String zone, String asked, String code, int weight, String what, String more) {

  @Override
  public String toString() {
    return "%s %s %s (%+d %s)".formatted(asked, zone, code, weight, what);
  }
}
