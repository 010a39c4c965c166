package net.postern.sasl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScramServerTest {
  private static final byte[] SALT = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
  private static final ScramKeys PENCIL = ScramKeys.of("pencil", SALT, 4096);
  private static final String NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  private static final String FIRST = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static ScramServer begun(String first) {
    return ScramServer.begin(bytes(first), false, Map.of()).orElseThrow();
  }

  /** RFC 7677 §3. */
  @Test
  void theExampleOfTheStandard() {
    ScramServer server = begun(FIRST);
    assertEquals("user", server.user());
    assertEquals(
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        server.challenge(List.of(PENCIL), NONCE));
    assertEquals(
        new ScramServer.End.Proven("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", 0),
        server.finish(
            bytes(
                "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                    + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")));
  }

  @Test
  void anotherProofOrPasswordIsWrong() {
    String last =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    ScramServer server = begun(FIRST);
    server.challenge(List.of(ScramKeys.of("pen", SALT, 4096)), NONCE);
    assertEquals(new ScramServer.End.Wrong(), server.finish(bytes(last)));

    ScramServer other = begun(FIRST);
    other.challenge(List.of(PENCIL), NONCE);
    assertEquals(
        new ScramServer.End.Wrong(), other.finish(bytes(last.replace("p=dHzb", "p=eHzb"))));
    // Bound to another header than the one that was sent first.
    ScramServer header = begun(FIRST);
    header.challenge(List.of(PENCIL), NONCE);
    assertEquals(
        new ScramServer.End.Wrong(), header.finish(bytes(last.replace("c=biws", "c=eSws"))));
  }

  @Test
  void whatIsNoScramIsMalformed() {
    for (String first :
        List.of(
            "",
            "n",
            "n,,",
            "n,,r=abc",
            "n,,n=user",
            "n,,n=,r=abc",
            "n,,n=us=er,r=abc",
            "n,,n=user,r=",
            "n,,m=1,n=user,r=abc",
            "x,,n=user,r=abc",
            "n,b=x,n=user,r=abc",
            "p=tls-exporter,,n=user,r=abc")) {
      assertTrue(ScramServer.begin(bytes(first), false, Map.of()).isEmpty(), first);
    }
    for (String last :
        List.of(
            "",
            "c=biws",
            "c=biws,r=other,p=AAAA",
            "c=biws,p=AAAA",
            "c=?,r=rOprNGfwEbeRWgbNEkqO,p=")) {
      ScramServer server = begun(FIRST);
      server.challenge(List.of(PENCIL), NONCE);
      assertInstanceOf(ScramServer.End.Malformed.class, server.finish(bytes(last)), last);
    }
  }

  /** RFC 5802 §5.1. */
  @Test
  void namesMayHoldCommasAndEquals() {
    assertEquals("a,b=c", begun("n,,n=a=2Cb=3Dc,r=abc").user());
    assertEquals("anna@example.org", begun("n,a=anna@example.org,n=user,r=abc").authorization());
  }

  /** RFC 5802 §6: "y" says that the client could, and saw that the server cannot. */
  @Test
  void plusNeedsItsBindingAndItsAbsenceIsNotBelieved() {
    Map<String, byte[]> bindings = Map.of("tls-exporter", bytes("of this connection"));
    String plus = "p=tls-exporter,,n=user,r=abc";
    assertTrue(ScramServer.begin(bytes(plus), true, bindings).isPresent());
    assertTrue(ScramServer.begin(bytes("p=tls-unique,,n=user,r=abc"), true, bindings).isEmpty());
    assertTrue(ScramServer.begin(bytes("n,,n=user,r=abc"), true, bindings).isEmpty());
    assertTrue(ScramServer.begin(bytes("y,,n=user,r=abc"), false, bindings).isEmpty());
    assertTrue(ScramServer.begin(bytes("y,,n=user,r=abc"), false, Map.of()).isPresent());
  }

  @Test
  void passwordsArePrepared() {
    assertEquals(Optional.of("IX"), Saslprep.prepare("I\u00adX"));
    assertEquals(Optional.of("a"), Saslprep.prepare("\u00aa"));
    assertEquals(Optional.of("a b"), Saslprep.prepare("a\u00a0b"));
    assertEquals(Optional.empty(), Saslprep.prepare("a\u0007b"));
    assertEquals(Optional.empty(), Saslprep.prepare(""));
    assertEquals(Optional.of("Grüße"), Saslprep.prepare("Gru\u0308ße"));
  }

  @Test
  void plain() {
    PlainMessage message = PlainMessage.parse(bytes("\0tim\0tanstaaftanstaaf")).orElseThrow();
    assertEquals(new PlainMessage("", "tim", "tanstaaftanstaaf"), message);
    assertEquals("PlainMessage[tim]", message.toString());
    for (String bad : List.of("", "tim\0x", "\0\0x", "\0tim\0", "\0tim\0x\0y")) {
      assertTrue(PlainMessage.parse(bytes(bad)).isEmpty(), bad);
    }
    assertTrue(PlainMessage.parse(new byte[] {0, (byte) 0xc3, 0, 'x'}).isEmpty());
  }
}
