package net.postern.proxy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProxyHeaderTest {
  private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replace(" ", ""));
  }

  /** Reads it with a command behind it, which has to be left. */
  private static ProxyHeader read(byte[] header) throws IOException {
    byte[] after = bytes("EHLO a\r\n");
    byte[] all = new byte[header.length + after.length];
    System.arraycopy(header, 0, all, 0, header.length);
    System.arraycopy(after, 0, all, header.length, after.length);
    ByteArrayInputStream in = new ByteArrayInputStream(all);
    ProxyHeader read = ProxyHeader.read(in);
    assertArrayEquals(after, in.readAllBytes());
    return read;
  }

  private static Optional<InetSocketAddress> at(String host, int port) {
    return Optional.of(new InetSocketAddress(java.net.InetAddress.ofLiteral(host), port));
  }

  @Test
  void versionOne() throws IOException {
    assertEquals(
        new ProxyHeader(at("192.0.2.7", 56324), at("198.51.100.1", 25)),
        read(bytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324 25\r\n")));
    assertEquals(
        new ProxyHeader(at("2001:db8::7", 1), at("2001:db8::1", 65535)),
        read(bytes("PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n")));
    ProxyHeader nobody = new ProxyHeader(Optional.empty(), Optional.empty());
    assertEquals(nobody, read(bytes("PROXY UNKNOWN\r\n")));
    assertEquals(nobody, read(bytes("PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n")));
  }

  @Test
  void versionTwo() throws IOException {
    assertEquals(
        new ProxyHeader(at("192.0.2.7", 56324), at("198.51.100.1", 25)),
        read(hex(SIGNATURE + "21 11 000c c0000207 c6336401 dc04 0019")));
    // With a TLV behind the addresses.
    assertEquals(
        new ProxyHeader(at("192.0.2.7", 56324), at("198.51.100.1", 25)),
        read(hex(SIGNATURE + "21 11 0011 c0000207 c6336401 dc04 0019 04 0002 ffff")));
    assertEquals(
        new ProxyHeader(at("2001:db8::7", 1), at("2001:db8::1", 25)),
        read(
            hex(
                SIGNATURE
                    + "21 21 0024 20010db8000000000000000000000007"
                    + " 20010db8000000000000000000000001 0001 0019")));
    ProxyHeader nobody = new ProxyHeader(Optional.empty(), Optional.empty());
    // LOCAL, with and without addresses; unspecified.
    assertEquals(nobody, read(hex(SIGNATURE + "20 00 0000")));
    assertEquals(nobody, read(hex(SIGNATURE + "20 11 000c c0000207 c6336401 dc04 0019")));
    assertEquals(nobody, read(hex(SIGNATURE + "21 00 0000")));
  }

  @Test
  void whatIsNoHeaderIsRefused() {
    for (String line :
        List.of(
            "EHLO client.example\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324 25 1\r\n",
            "PROXY TCP4 2001:db8::7 198.51.100.1 56324 25\r\n",
            "PROXY TCP4 host.example 198.51.100.1 56324 25\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 56324 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324 65536\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 056 25\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 56324 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324 25\n",
            "PROXY " + "x".repeat(200) + "\r\n")) {
      assertThrows(
          IOException.class, () -> ProxyHeader.read(new ByteArrayInputStream(bytes(line))), line);
    }
    for (String header :
        List.of(
            SIGNATURE + "31 11 000c c0000207 c6336401 dc04 0019",
            SIGNATURE + "22 11 000c c0000207 c6336401 dc04 0019",
            SIGNATURE + "21 12 000c c0000207 c6336401 dc04 0019",
            SIGNATURE + "21 41 000c c0000207 c6336401 dc04 0019",
            SIGNATURE + "21 11 000b c0000207 c6336401 dc04 00",
            SIGNATURE + "21 11 000c c0000207",
            SIGNATURE + "21 11 ffff" + "00".repeat(65535),
            SIGNATURE)) {
      assertThrows(
          IOException.class,
          () -> ProxyHeader.read(new ByteArrayInputStream(hex(header))),
          header.substring(0, Math.min(60, header.length())));
    }
  }
}
