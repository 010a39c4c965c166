package net.postern.auth;

/** Addresses as text. */
final class SpfAddresses {
  private static final String HEX = "0123456789ABCDEF";

  private SpfAddresses() {}

  /** IPv4 as usual; IPv6 as 32 hexadecimal digits with dots between (RFC 7208 §7.3). */
  static String dotted(byte[] address) {
    if (address.length == 4) {
      return readable(address);
    }
    StringBuilder out = new StringBuilder(63);
    for (byte b : address) {
      out.append(out.isEmpty() ? "" : ".").append(HEX.charAt((b >> 4) & 0xf));
      out.append('.').append(HEX.charAt(b & 0xf));
    }
    return out.toString();
  }

  /** As people write it: IPv6 by RFC 5952 §4. */
  static String readable(byte[] address) {
    StringBuilder out = new StringBuilder(39);
    if (address.length == 4) {
      for (byte b : address) {
        out.append(out.isEmpty() ? "" : ".").append(b & 0xff);
      }
      return out.toString();
    }
    int[] groups = new int[8];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = (address[2 * i] & 0xff) << 8 | (address[2 * i + 1] & 0xff);
    }
    int longest = -1;
    int longestLength = 1;
    for (int i = 0; i < groups.length; i++) {
      int end = i;
      while (end < groups.length && groups[end] == 0) {
        end++;
      }
      if (end - i > longestLength) {
        longest = i;
        longestLength = end - i;
      }
    }
    for (int i = 0; i < groups.length; i++) {
      if (i == longest) {
        out.append("::");
        i += longestLength - 1;
      } else {
        boolean first = out.isEmpty() || out.charAt(out.length() - 1) == ':';
        out.append(first ? "" : ":").append(Integer.toHexString(groups[i]));
      }
    }
    return out.toString();
  }
}
