package net.postern.proxy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
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
    // The shortest, of which not one byte too many may be read.
    assertEquals(
        new ProxyHeader(at("1.1.1.1", 1), at("2.2.2.2", 2)),
        read(bytes("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n")));
    assertEquals(
        new ProxyHeader(at("::", 0), at("::1", 2)), read(bytes("PROXY TCP6 :: ::1 0 2\r\n")));
    ProxyHeader nobody = new ProxyHeader(Optional.empty(), Optional.empty());
    assertEquals(nobody, read(bytes("PROXY UNKNOWN\r\n")));
    assertEquals(nobody, read(bytes("PROXY UNKNOWN TCP4 1 2 3\r\n")));
    assertEquals(nobody, read(bytes("PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n")));
  }

  /** A read of a socket takes longer than all that is made of its bytes. */
  @Test
  void versionOneTakesFewReads() throws IOException {
    int[] reads = new int[1];
    byte[] line = bytes("PROXY TCP4 192.0.2.7 198.51.100.1 56324 25\r\nEHLO a\r\n");
    ByteArrayInputStream in =
        new ByteArrayInputStream(line) {
          @Override
          public synchronized int read(byte[] into, int offset, int length) {
            reads[0]++;
            return super.read(into, offset, length);
          }
        };
    ProxyHeader.read(in);
    assertEquals("EHLO a\r\n", new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
    assertTrue(reads[0] <= 8, reads[0] + " reads");
  }

  /** Though a line of its kind would have more. */
  @Test
  void aLineThatEndsTooEarlyIsNotWaitedFor() {
    for (String line :
        List.of("PROXY TCP4 1.1.1.1\r\n", "PROXY TCP4 \r\n", "PROXY TCP6 a b\nPROXY TCP4 1")) {
      assertThrows(ProtocolException.class, () -> ProxyHeader.read(whole(line)), line);
    }
  }

  // Whoever reads beyond what has come waits: here it fails.
  private static InputStream whole(String text) {
    return new ByteArrayInputStream(bytes(text)) {
      @Override
      public synchronized int read(byte[] into, int offset, int length) {
        if (available() == 0) {
          throw new AssertionError("it would wait");
        }
        return super.read(into, offset, length);
      }
    };
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
