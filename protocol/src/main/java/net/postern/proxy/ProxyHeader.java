package net.postern.proxy;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a proxy says of a connection that it passes on.
 *
 * @param source who connected to the proxy; empty when the proxy speaks for itself, as for a check
 *     of health, or does not know
 * @param destination where that client connected to; present whenever the source is
 */
public record ProxyHeader(
    Optional<InetSocketAddress> source, Optional<InetSocketAddress> destination) {
  /** Longest line of version 1, with its CRLF (section 2.1). */
  static final int MAX_LINE = 107;

  /** Longest body of version 2 that is taken, in bytes; addresses and usual TLVs have some 200. */
  static final int MAX_BODY = 4096;

  private static final byte[] SIGNATURE = {
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a
  };

  private static final Pattern DIGITS = Pattern.compile("0|[1-9]\\d{0,4}");

  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*");

  // PROXY TCP4 0.0.0.0 0.0.0.0 0 0, PROXY TCP6 :: :: 0 0
  private static final int[] SHORTEST_WORDS_4 = {5, 4, 7, 7, 1, 1};
  private static final int[] SHORTEST_WORDS_6 = {5, 4, 2, 2, 1, 1};

  private static final ProxyHeader NOBODY = new ProxyHeader(Optional.empty(), Optional.empty());

  /**
   * Reads a header and not one byte more: what follows is the client's own.
   *
   * @throws ProtocolException when it is no header, or longer than the bounds
   * @throws EOFException when the stream ends inside it
   */
  public static ProxyHeader read(InputStream in) throws IOException {
    byte[] start = exactly(in, SIGNATURE.length);
    return Arrays.equals(start, SIGNATURE) ? second(in) : first(in, start);
  }

  // Section 2.1: PROXY TCP4 source destination port port CRLF. The shortest line has 15 bytes.
  private static ProxyHeader first(InputStream in, byte[] start) throws IOException {
    if (!new String(start, StandardCharsets.ISO_8859_1).startsWith("PROXY ")) {
      throw new ProtocolException("no PROXY header");
    }
    byte[] line = Arrays.copyOf(start, MAX_LINE);
    int length = start.length;
    while (line[length - 1] != '\n') {
      if (length == MAX_LINE) {
        throw new ProtocolException("the PROXY line is too long");
      }
      int got = in.read(line, length, Math.min(missing(line, length), MAX_LINE - length));
      if (got < 0) {
        throw new EOFException("the stream ended inside the PROXY header");
      }
      for (int i = length; i < length + got - 1; i++) {
        if (line[i] == '\n') {
          throw new ProtocolException("the PROXY line ends too early");
        }
      }
      length += got;
    }
    if (line[length - 2] != '\r') {
      throw new ProtocolException("the PROXY line does not end with CRLF");
    }
    String[] words = new String(line, 0, length - 2, StandardCharsets.ISO_8859_1).split(" ", -1);
    if (words[1].equals("UNKNOWN")) {
      return NOBODY;
    }
    int bytes =
        switch (words[1]) {
          case "TCP4" -> 4;
          case "TCP6" -> 16;
          default -> throw new ProtocolException("the PROXY line names no known protocol");
        };
    if (words.length != 6) {
      throw new ProtocolException("the PROXY line has not its six words");
    }
    return new ProxyHeader(
        Optional.of(new InetSocketAddress(address(words[2], bytes), port(words[4]))),
        Optional.of(new InetSocketAddress(address(words[3], bytes), port(words[5]))));
  }

  /** What a line that begins so lacks at least: so much can be read without reading beyond it. */
  private static int missing(byte[] line, int length) {
    int word = 0;
    int inWord = 0;
    for (int i = 0; i < length; i++) {
      boolean space = line[i] == ' ';
      word += space ? 1 : 0;
      inWord = space ? 0 : inWord + 1;
    }
    int end = line[length - 1] == '\r' ? 1 : 2;
    int[] shortest = line[9] == '4' ? SHORTEST_WORDS_4 : SHORTEST_WORDS_6;
    if (line[6] != 'T' || word < 2 || word >= shortest.length) {
      return end;
    }
    int missing = end + Math.max(0, shortest[word] - inWord);
    for (int next = word + 1; next < shortest.length; next++) {
      missing += 1 + shortest[next];
    }
    return missing;
  }

  private static InetAddress address(String text, int bytes) throws ProtocolException {
    // Java would also read 10.1 and fe80::1%eth0.
    if (!ADDRESS.matcher(text).matches()) {
      throw new ProtocolException("the PROXY line has an address that is none");
    }
    try {
      InetAddress address = InetAddress.ofLiteral(text);
      // An IPv4 address mapped into IPv6 is read as IPv4.
      if (address.getAddress().length == bytes || (bytes == 16 && text.indexOf(':') >= 0)) {
        return address;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new ProtocolException("the PROXY line has an address that is none");
  }

  private static int port(String text) throws ProtocolException {
    int port = DIGITS.matcher(text).matches() ? Integer.parseInt(text) : -1;
    if (port < 0 || port > 65_535) {
      throw new ProtocolException("the PROXY line has a port that is none");
    }
    return port;
  }

  // Section 2.2: version and command, family and protocol, length of what follows.
  private static ProxyHeader second(InputStream in) throws IOException {
    byte[] fixed = exactly(in, 4);
    int version = (fixed[0] & 0xf0) >> 4;
    int command = fixed[0] & 0x0f;
    int length = ((fixed[2] & 0xff) << 8) | (fixed[3] & 0xff);
    if (version != 2 || command > 1) {
      throw new ProtocolException("the PROXY header has an unknown version or command");
    }
    if (length > MAX_BODY) {
      throw new ProtocolException("the PROXY header is too long");
    }
    byte[] body = exactly(in, length);
    if (command == 0) {
      return NOBODY; // LOCAL: the proxy's own connection; what else it says is to be ignored.
    }
    int family = (fixed[1] & 0xf0) >> 4;
    int bytes =
        switch (family) {
          case 1 -> 4;
          case 2 -> 16;
          case 0, 3 -> 0; // unspecified, or a socket of the proxy's machine
          default -> throw new ProtocolException("the PROXY header has an unknown family");
        };
    if (bytes == 0) {
      return NOBODY;
    }
    if ((fixed[1] & 0x0f) != 1 || body.length < 2 * bytes + 4) {
      throw new ProtocolException("the PROXY header has not the addresses of a TCP connection");
    }
    ByteBuffer ports = ByteBuffer.wrap(body, 2 * bytes, 4);
    InetAddress source = raw(Arrays.copyOfRange(body, 0, bytes));
    InetAddress destination = raw(Arrays.copyOfRange(body, bytes, 2 * bytes));
    // TLVs after the addresses say nothing that is used here.
    return new ProxyHeader(
        Optional.of(new InetSocketAddress(source, ports.getShort() & 0xffff)),
        Optional.of(new InetSocketAddress(destination, ports.getShort() & 0xffff)));
  }

  private static InetAddress raw(byte[] bytes) {
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }

  private static byte[] exactly(InputStream in, int count) throws IOException {
    byte[] bytes = in.readNBytes(count);
    if (bytes.length < count) {
      throw new EOFException("the stream ended inside the PROXY header");
    }
    return bytes;
  }
}
