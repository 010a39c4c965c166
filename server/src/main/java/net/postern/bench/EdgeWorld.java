package net.postern.bench;

import java.util.List;
import java.util.Locale;

/**
 * Who connects in {@link EdgeBench}, and what the DNS says of them. Addresses are of 25.0.0.0/8 and
 * 26.0.0.0/8, since those for documentation are too few and those that nobody has are no strangers'
 * to Postern; they only stand in PROXY headers and in questions to the name server of the
 * measurement.
 */
final class EdgeWorld {
  /** The domain that mail comes for. */
  static final String DOMAIN = "example.org";

  static final String HOST = "mx.example.net";

  /** Block lists of addresses. The first two name who is listed, each with {@link #WEIGHT}. */
  static final List<String> ADDRESS_LISTS = List.of("a.bl.example", "b.bl.example", "c.bl.example");

  /** Block lists of domains. They name nobody who connects. */
  static final List<String> DOMAIN_LISTS = List.of("d.bl.example", "e.bl.example");

  static final int WEIGHT = 4;

  /** Sum of weights from which both servers refuse: what two lists say. */
  static final int THRESHOLD = 6;

  /** How long both let a client wait for the greeting that they do not know, in seconds. */
  static final int GREET_SECONDS = 2;

  /** Most sources of one kind. */
  static final int MAX_SOURCES = 1 << 20;

  /** Users of {@link #DOMAIN}. */
  static final int USERS = 200;

  private static final int SENDER_DOMAINS = 500;

  private EdgeWorld() {}

  /** A source that block lists name; its reverse name does not exist. */
  static String listed(int n) {
    return "25." + tail(n);
  }

  /** A source with a name that agrees, which no list names. */
  static String clean(int n) {
    return "26." + tail(n);
  }

  // Neighbours in time are neighbours in no network.
  private static String tail(int n) {
    return "%d.%d.%d".formatted(n >> 16, n & 0xff, n >> 8 & 0xff);
  }

  static String cleanName(int n) {
    return "mail%d.clean.example".formatted(n);
  }

  static String user(int n) {
    return "user" + n % USERS + "@" + DOMAIN;
  }

  static String sender(int n) {
    return "sender@d" + n % SENDER_DOMAINS + ".senders.example";
  }

  /**
   * Zones in the form of unbound's configuration.
   *
   * @param sources clean ones that have names
   */
  static String zones(int sources) {
    StringBuilder out = new StringBuilder(200 * sources);
    zone(out, ".");
    ADDRESS_LISTS.forEach(
        list -> {
          zone(out, list);
          record(out, "2.0.0.127." + list, "A 127.0.0.2");
        });
    for (String list : ADDRESS_LISTS.subList(0, 2)) {
      String all = "25." + list;
      out.append("local-zone: \"").append(all).append(".\" redirect\n");
      record(out, all, "A 127.0.0.2");
      record(out, all, "TXT listed");
    }
    for (String list : DOMAIN_LISTS) {
      zone(out, list);
      record(out, "test." + list, "A 127.0.0.2");
    }
    zone(out, "in-addr.arpa");
    zone(out, "senders.example");
    for (int n = 0; n < SENDER_DOMAINS; n++) {
      String domain = "d" + n + ".senders.example";
      record(out, domain, "MX 10 mx." + domain);
      record(out, domain, "TXT \"v=spf1 ip4:26.0.0.0/8 -all\"");
      record(out, "mx." + domain, "A 192.0.2.25");
    }
    zone(out, "clean.example");
    for (int n = 0; n < sources; n++) {
      String[] bytes = clean(n).split("\\.", -1);
      String reverse =
          String.join(".", List.of(bytes).reversed()).toLowerCase(Locale.ROOT) + ".in-addr.arpa";
      record(out, reverse, "PTR " + cleanName(n) + ".");
      record(out, cleanName(n), "A " + clean(n));
    }
    return out.toString();
  }

  private static void zone(StringBuilder out, String name) {
    String absolute = name.equals(".") ? name : name + ".";
    out.append("local-zone: \"").append(absolute).append("\" static\n");
    // RFC 2308 §5: says how long it may be remembered that there is no such name.
    out.append("local-data: \"")
        .append(absolute)
        .append(" 300 SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 300\"\n");
  }

  private static void record(StringBuilder out, String name, String data) {
    out.append("local-data: '").append(name).append(". 300 ").append(data).append("'\n");
  }

  /** The lists as a table for {@code dnsbl.table}. */
  static String table() {
    StringBuilder out = new StringBuilder();
    for (String list : ADDRESS_LISTS) {
      out.append("ip4 %s 127.0.0.2 %d listed%n".formatted(list, WEIGHT));
    }
    for (String list : DOMAIN_LISTS) {
      out.append("domain %s 127.0.0.2 %d listed%n".formatted(list, THRESHOLD));
    }
    return out.toString();
  }
}
