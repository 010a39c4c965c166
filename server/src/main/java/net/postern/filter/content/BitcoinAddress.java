package net.postern.filter.content;

import java.util.Optional;
import net.postern.filter.Rule;

/** Finds what looks like a Bitcoin address (Base58 P2PKH and P2SH, BIP 173 bech32). Linear. */
final class BitcoinAddress {
  private BitcoinAddress() {}

  static Optional<String> find(String text) {
    int n = text.length();
    int i = 0;
    while (i < n) {
      if (!isAlphanumeric(text.charAt(i))) {
        i++;
        continue;
      }
      int start = i;
      while (i < n && isAlphanumeric(text.charAt(i))) {
        i++;
      }
      int length = i - start;
      if (length >= 26 && length <= 62 && isAddress(text, start, i)) {
        boolean partOfUrl =
            (start > 0 && "/=-_.%+".indexOf(text.charAt(start - 1)) >= 0)
                || (i < n && "/=-_%+".indexOf(text.charAt(i)) >= 0);
        if (!partOfUrl) {
          return Rule.seen(text.substring(start, i));
        }
      }
    }
    return Rule.NO;
  }

  private static boolean isAddress(String text, int from, int to) {
    int length = to - from;
    char first = text.charAt(from);
    if (text.regionMatches(true, from, "bc1", 0, 3)) {
      return length == 42 || length == 62;
    }
    if ((first != '1' && first != '3') || length > 35) {
      return false;
    }
    boolean upper = false;
    boolean lower = false;
    boolean digit = false;
    for (int i = from + 1; i < to; i++) {
      char c = text.charAt(i);
      if (c == '0' || c == 'O' || c == 'I' || c == 'l') {
        return false;
      }
      upper |= c >= 'A' && c <= 'Z';
      lower |= c >= 'a' && c <= 'z';
      digit |= c <= '9';
    }
    return upper && lower && digit;
  }

  private static boolean isAlphanumeric(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80);
  }
}
