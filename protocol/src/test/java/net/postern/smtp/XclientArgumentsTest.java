package net.postern.smtp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class XclientArgumentsTest {

  private static XclientArguments read(String text) {
    return switch (XclientArguments.parse(text)) {
      case Parsed.Ok<XclientArguments> ok -> ok.value();
      case Parsed.Bad<XclientArguments> bad -> throw new AssertionError(bad.reply().toString());
    };
  }

  @Test
  void whatPostfixSends() {
    XclientArguments read =
        read(
            "NAME=spike.example ADDR=192.0.2.7 PORT=4711 PROTO=ESMTP HELO=a+2Bb.example"
                + " LOGIN=anna@example.org DESTADDR=192.0.2.1");
    assertEquals(Optional.of("spike.example"), read.name());
    assertEquals(Optional.of(InetAddress.ofLiteral("192.0.2.7")), read.address());
    assertEquals(Optional.of("a+b.example"), read.helo());
    assertEquals(Optional.of("anna@example.org"), read.login());
  }

  @Test
  void whatIsNotKnownIsEmpty() {
    assertEquals(
        new Parsed.Ok<>(
            new XclientArguments(
                Optional.empty(),
                Optional.of(InetAddress.ofLiteral("2001:db8::7")),
                Optional.empty(),
                Optional.empty())),
        XclientArguments.parse("NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7 HELO=[TEMPUNAVAIL]"));
  }

  @Test
  void whatIsWrongIsRefused() {
    for (String text :
        List.of(
            "",
            "ADDR",
            "ADDR=host.example",
            "ADDR=1.2.3",
            "ADDR=192.0.2.7 ADDR=192.0.2.8",
            "COLOUR=red",
            "HELO=a+0D+0Ab",
            "HELO=a+4",
            "HELO=<a>",
            "HELO=a=b",
            "NAME=" + "x".repeat(300))) {
      assertInstanceOf(Parsed.Bad.class, XclientArguments.parse(text), text);
    }
  }
}
