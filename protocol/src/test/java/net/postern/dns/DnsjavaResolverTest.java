package net.postern.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class DnsjavaResolverTest {
  /** For answers that come: no stall of a loaded machine takes as long. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** A name server on loopback that knows a few records. */
  private static final class NameServer implements AutoCloseable {
    private final DatagramSocket socket;
    private final Map<String, List<String>> records =
        Map.of(
            "example.com. MX", List.of("10 mx1.example.com.", "20 MX2.example.com."),
            "null.example. MX", List.of("0 ."),
            "mx1.example.com. A", List.of("192.0.2.1"),
            "mx1.example.com. AAAA", List.of("2001:db8::1"),
            "example.com. TXT", List.of("\"v=spf1 \" \"-all\""),
            "1.2.0.192.in-addr.arpa. PTR", List.of("mx1.example.com."));

    NameServer() throws IOException {
      socket = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
      Thread _ = Thread.ofVirtual().start(this::serve);
    }

    InetSocketAddress address() {
      return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), socket.getLocalPort());
    }

    private void serve() {
      byte[] buffer = new byte[1500];
      while (true) {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        try {
          socket.receive(packet);
          byte[] question = java.util.Arrays.copyOf(packet.getData(), packet.getLength());
          Message answer = answer(new Message(question));
          if (answer.getRcode() == Rcode.NOTIMP) {
            continue;
          }
          byte[] wire = answer.toWire();
          socket.send(new DatagramPacket(wire, wire.length, packet.getSocketAddress()));
        } catch (IOException e) {
          return;
        }
      }
    }

    private Message answer(Message question) throws IOException {
      Record asked = question.getQuestion();
      Message answer = new Message(question.getHeader().getID());
      answer.getHeader().setFlag(Flags.QR);
      answer.addRecord(asked, Section.QUESTION);
      String name = asked.getName().toString();
      if (name.startsWith("silent")) {
        answer.getHeader().setRcode(Rcode.NOTIMP);
        return answer;
      }
      if (name.startsWith("broken")) {
        answer.getHeader().setRcode(Rcode.SERVFAIL);
        return answer;
      }
      List<String> found =
          records.getOrDefault(name + " " + Type.string(asked.getType()), List.of());
      for (String text : found) {
        answer.addRecord(
            Record.fromString(asked.getName(), asked.getType(), DClass.IN, 60, text, Name.root),
            Section.ANSWER);
      }
      boolean exists = records.keySet().stream().anyMatch(key -> key.startsWith(name + " "));
      if (!exists) {
        answer.getHeader().setRcode(Rcode.NXDOMAIN);
      }
      return answer;
    }

    @Override
    public void close() {
      socket.close();
    }
  }

  @Test
  void answersAreToldApart() throws Exception {
    try (NameServer server = new NameServer()) {
      Resolver resolver = DnsjavaResolver.of(server.address(), PATIENCE);
      assertEquals(
          new Answer.Found<>(
              List.of(new MxRecord(10, "mx1.example.com"), new MxRecord(20, "mx2.example.com"))),
          resolver.mx("example.com"));
      assertEquals(new Answer.Found<>(List.of(new MxRecord(0, ""))), resolver.mx("null.example"));
      assertEquals(
          List.of(InetAddress.ofLiteral("192.0.2.1")), resolver.a("mx1.example.com").orNone());
      assertEquals(
          List.of(InetAddress.ofLiteral("2001:db8::1")), resolver.aaaa("mx1.example.com").orNone());
      assertEquals(new Answer.Found<>(List.of("v=spf1 -all")), resolver.txt("example.com"));
      assertEquals(
          new Answer.Found<>(List.of("mx1.example.com")),
          resolver.ptr(InetAddress.ofLiteral("192.0.2.1")));
      assertInstanceOf(Answer.NoData.class, resolver.a("example.com"));
      assertInstanceOf(Answer.NxDomain.class, resolver.mx("nothing.example"));
      assertInstanceOf(Answer.Failure.class, resolver.mx("broken.example"));
      assertInstanceOf(Answer.NxDomain.class, resolver.mx("x".repeat(64) + ".example"));
    }
  }

  @Test
  void answersAreCached() throws Exception {
    try (NameServer server = new NameServer()) {
      DnsjavaResolver resolver = DnsjavaResolver.of(server.address(), PATIENCE);
      assertEquals(2, resolver.mx("example.com").orNone().size());
      // Not what came to the server: a question that was asked again may come late.
      long sent = resolver.stats().sent();
      assertTrue(sent > 0);
      assertEquals(2, resolver.mx("example.com").orNone().size());
      assertEquals(sent, resolver.stats().sent());
    }
  }

  @Test
  void aSilentServerIsAFailureInBoundedTime() throws Exception {
    try (NameServer server = new NameServer()) {
      Resolver resolver = DnsjavaResolver.of(server.address(), Duration.ofMillis(300));
      long start = System.nanoTime();
      assertInstanceOf(Answer.Failure.class, resolver.mx("silent.example"));
      assertTrue(System.nanoTime() - start < PATIENCE.toNanos());
    }
  }
}
