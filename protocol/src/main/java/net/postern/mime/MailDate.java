package net.postern.mime;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The date-time of header fields (RFC 5322 §3.3, obsolete forms §4.3), read tolerantly. */
public final class MailDate {
  private static final Map<String, Integer> ZONES =
      Map.of(
          "ut", 0, "gmt", 0, "utc", 0, "z", 0, "est", -5, "edt", -4, "cst", -6, "cdt", -5, "mst",
          -7);
  private static final Map<String, Integer> MORE_ZONES =
      Map.of("mdt", -6, "pst", -8, "pdt", -7, "cet", 1, "cest", 2, "bst", 1, "jst", 9);
  private static final String MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
  private static final int MAX_LENGTH = 200;

  private MailDate() {}

  /**
   * Reads a date; weekday, seconds and comments may be missing, an unknown zone is UTC (RFC 5322
   * §4.3).
   *
   * @return empty when it is no date
   */
  public static Optional<Instant> parse(String text) {
    if (text.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    int comment = text.indexOf('(');
    String bare = comment > 0 ? text.substring(0, comment) : text;
    int comma = bare.indexOf(',');
    String[] words =
        bare.substring(comma + 1).replace('-', ' ').trim().toLowerCase(Locale.ROOT).split("\\s+");
    boolean negative = isNegativeZone(bare);
    int i =
        words.length > 0 && !words[0].isEmpty() && Character.isLetter(words[0].charAt(0)) ? 1 : 0;
    if (words.length < i + 4) {
      return Optional.empty();
    }
    try {
      int day = Integer.parseInt(words[i]);
      int month = words[i + 1].length() < 3 ? -1 : MONTHS.indexOf(words[i + 1].substring(0, 3));
      int year = Integer.parseInt(words[i + 2]);
      if (words[i + 2].length() <= 3) { // RFC 5322 §4.3
        year += year < 50 ? 2000 : 1900;
      }
      String[] time = words[i + 3].split("[:.]");
      if (month < 0 || month % 3 != 0 || time.length < 2) {
        return Optional.empty();
      }
      int second = time.length > 2 ? Math.min(59, Integer.parseInt(time[2])) : 0;
      LocalDateTime local =
          LocalDateTime.of(
              year,
              month / 3 + 1,
              day,
              Integer.parseInt(time[0]),
              Integer.parseInt(time[1]),
              second);
      int offset = words.length > i + 4 ? offsetMinutes(words[i + 4], negative) : 0;
      return Optional.of(local.toInstant(ZoneOffset.UTC).minusSeconds(offset * 60L));
    } catch (NumberFormatException | DateTimeException e) {
      return Optional.empty();
    }
  }

  // The hyphens of 1-Jun-2026 were made blanks above: the sign of the zone is looked up apart.
  private static boolean isNegativeZone(String text) {
    int colon = text.lastIndexOf(':');
    return colon >= 0 && text.indexOf('-', colon) >= 0;
  }

  private static int offsetMinutes(String zone, boolean negative) {
    String digits = zone.startsWith("+") ? zone.substring(1) : zone;
    if (digits.length() == 4 && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
      int n = Integer.parseInt(digits);
      int minutes = n / 100 * 60 + n % 100;
      return negative ? -minutes : minutes;
    }
    Integer hours = ZONES.get(zone);
    return 60 * (hours != null ? hours : MORE_ZONES.getOrDefault(zone, 0));
  }
}
