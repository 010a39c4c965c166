package net.postern.dnsbl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import net.postern.config.DnsblConfig;

/** What is known of lists: the shipped table {@code dnsbl/zones.txt}, and a provider's own file. */
public final class ZoneTable {
  private static final String SHIPPED = "/dnsbl/zones.txt";

  /** RFC 5782 §5. */
  private static final String LISTED_NAME = "test";

  private static final String UNLISTED_NAME = "invalid";

  private final Map<String, Entry> zones = new LinkedHashMap<>();

  private static final class Entry {
    private final List<String> kinds = new ArrayList<>();
    private final List<Zone.Code> codes = new ArrayList<>();
    private String lookup = "";
    private String terms = "";
    private Optional<String> listed = Optional.empty();
    private Optional<String> unlisted = Optional.empty();
  }

  private ZoneTable() {}

  /** The shipped table. */
  public static ZoneTable shipped() {
    ZoneTable table = new ZoneTable();
    try (InputStream in =
        Objects.requireNonNull(ZoneTable.class.getResourceAsStream(SHIPPED), SHIPPED)) {
      table.read(SHIPPED, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return table;
  }

  /**
   * The zones that the configuration names, as the tables have them.
   *
   * @throws IllegalArgumentException for a zone that neither table has, or a table that cannot be
   *     read; the message is for whoever wrote it
   */
  public static List<Zone> chosen(DnsblConfig config) {
    ZoneTable table = shipped();
    config.table().ifPresent(table::readOver);
    List<Zone> chosen = new ArrayList<>();
    for (String name : config.zones()) {
      chosen.addAll(table.find(name));
    }
    return chosen;
  }

  private void readOver(Path file) {
    ZoneTable own = new ZoneTable();
    try {
      own.read(file.toString(), Files.readString(file));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "dnsbl.table: %s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
    zones.putAll(own.zones);
  }

  /** All names, in order. */
  public List<String> names() {
    return List.copyOf(zones.keySet());
  }

  /**
   * A list by its zone's name: two when it is for both families of addresses.
   *
   * @throws IllegalArgumentException when there is none
   */
  public List<Zone> find(String name) {
    Entry entry = zones.get(name.toLowerCase(Locale.ROOT));
    if (entry == null) {
      throw new IllegalArgumentException(
          "dnsbl.zones: nothing is known of \"%s\"; known are %s. Others go into a file: dnsbl.table"
              .formatted(name, String.join(", ", names())));
    }
    List<Zone> found = new ArrayList<>(2);
    for (Zone.Kind kind : kinds(entry.kinds)) {
      found.add(
          new Zone(
              name.toLowerCase(Locale.ROOT),
              kind,
              entry.codes,
              entry.lookup,
              entry.terms,
              entry.listed.orElseGet(() -> point(kind, true)),
              entry.unlisted.orElseGet(() -> point(kind, false))));
    }
    return found;
  }

  private static List<Zone.Kind> kinds(List<String> words) {
    List<Zone.Kind> kinds = new ArrayList<>(2);
    if (words.contains("ip") || words.contains("ip4")) {
      kinds.add(Zone.Kind.IP4);
    }
    if (words.contains("ip") || words.contains("ip6")) {
      kinds.add(Zone.Kind.IP6);
    }
    if (words.contains("domain")) {
      kinds.add(Zone.Kind.DOMAIN);
    }
    return kinds;
  }

  // RFC 5782 §5: 127.0.0.2 is listed and 127.0.0.1 is not; for IPv6 the same as mapped addresses.
  private static String point(Zone.Kind kind, boolean listed) {
    byte last = (byte) (listed ? 2 : 1);
    return switch (kind) {
      case IP4 -> Zone.reversed(new byte[] {127, 0, 0, last});
      case IP6 ->
          Zone.reversed(
              new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff, 127, 0, 0, last});
      case DOMAIN -> listed ? LISTED_NAME : UNLISTED_NAME;
    };
  }

  private void read(String source, String text) {
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      String stripped = line.strip();
      if (!stripped.isEmpty() && !stripped.startsWith("#")) {
        try {
          line(stripped);
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "%s:%d: %s".formatted(source, number, e.getMessage()), e);
        }
      }
    }
  }

  private void line(String line) {
    String[] words = line.split("\\s+", 3);
    if (words.length < 3) {
      throw new IllegalArgumentException("a line has a kind, a zone and what is said of it");
    }
    Entry entry = zones.computeIfAbsent(words[1].toLowerCase(Locale.ROOT), zone -> new Entry());
    String rest = words[2];
    switch (words[0]) {
      case "ip", "ip4", "ip6", "domain" -> code(entry, words[0], rest);
      case "lookup" -> entry.lookup = rest;
      case "terms" -> entry.terms = rest;
      case "test" -> {
        String[] points = rest.split("\\s+");
        if (points.length != 2) {
          throw new IllegalArgumentException("two names: one that is listed, one that is not");
        }
        entry.listed = Optional.of(point(points[0]));
        entry.unlisted = Optional.of(point(points[1]));
      }
      default ->
          throw new IllegalArgumentException(
              "\"%s\" is none of ip, ip4, ip6, domain, lookup, terms, test".formatted(words[0]));
    }
  }

  // An address is written as people write it.
  private static String point(String text) {
    try {
      return Zone.question(InetAddress.ofLiteral(text));
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  private static void code(Entry entry, String kind, String rest) {
    String[] words = rest.split("\\s+", 3);
    if (words.length < 3) {
      throw new IllegalArgumentException("after the zone: codes, weight, what it means");
    }
    boolean domains = kind.equals("domain");
    if (entry.kinds.stream().anyMatch(other -> other.equals("domain") != domains)) {
      throw new IllegalArgumentException("a zone lists addresses or domains, not both");
    }
    CodePattern pattern =
        CodePattern.parse(words[0])
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "\"%s\" are no codes; write 127.0.0.2, 127.0.0.4-7, 127.0.*.1 or 127.0.0.&8"
                            .formatted(words[0])));
    Optional<Integer> weight = Optional.empty();
    if (!words[1].equals("error")) {
      if (!words[1].matches("-?\\d{1,3}")) {
        throw new IllegalArgumentException(
            "\"%s\" is no weight; write a whole number or error".formatted(words[1]));
      }
      weight = Optional.of(Integer.parseInt(words[1]));
    }
    entry.kinds.add(kind);
    entry.codes.add(new Zone.Code(pattern, weight, words[2]));
  }
}
