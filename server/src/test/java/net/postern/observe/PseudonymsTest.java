package net.postern.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PseudonymsTest {
  private static final Pseudonyms NAMES = Pseudonyms.with(key("one"));

  private static SecretKeySpec key(String text) {
    return new SecretKeySpec(text.getBytes(StandardCharsets.US_ASCII), "HmacSHA256");
  }

  private static String hide(Pseudonyms names, String line) {
    StringBuilder out = new StringBuilder("kept@before.example ");
    int from = out.length();
    names.hide(out.append(line), from);
    assertTrue(out.toString().startsWith("kept@before.example "), out::toString);
    return out.substring(from);
  }

  @Test
  void theSameAddressHasTheSameTokenInEveryPlace() {
    String token = NAMES.of("Ann@example.com");
    assertTrue(token.matches("~[0-9a-f]{12}@example\\.com"), token);
    assertEquals(token, NAMES.of("ann@example.com"), "whatever the case");
    assertNotEquals(token, NAMES.of("bob@example.com"));
    assertNotEquals(token, Pseudonyms.with(key("two")).of("ann@example.com"));
    assertEquals("to=<" + token + ">", hide(NAMES, "to=<ann@example.com>"));
    assertEquals("by=" + token + " x=1", hide(NAMES, "by=ann@example.com x=1"));
    assertEquals("{\"to\":\"" + token + "\"}", hide(NAMES, "{\"to\":\"ann@example.com\"}"));
    assertEquals("no mailbox " + token + ".", hide(NAMES, "no mailbox ann@example.com."));
    assertEquals("ann <" + token + ">: gone", hide(NAMES, "ann <ann@example.com>: gone"));
    assertEquals(
        "to=<" + token + ">,<" + NAMES.of("bob@b.example") + ">",
        hide(NAMES, "to=<ann@example.com>,<bob@b.example>"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "from=<secret@example.com>",
        "reply=\"550 5.1.1 <secret@example.com>: Recipient address rejected\"",
        "from=<bounce+secret=home.example@list.example>",
        "x=bounce-secret=home.example@list.example",
        "{\"from\":\"\\\"secret name\\\"@example.com\"}",
        "from=\"<\\\"very secret\\\"@example.com>\"",
        "java.lang.X: \"odd secret\"@example.com is no address",
        "from=<secret/of=all!kinds#%&'*+-?^_`{|}~@example.com>",
        "from=<secret.\\u00e9@ex\\u00e4mple.com>",
        "from=<secret@[192.0.2.1]>",
        "route:secret@a.example,secret@b.example;secret@c.example",
        "secret@a@b.example",
        "secret@localhost"
      })
  void noLocalPartStays(String line) {
    String hidden = hide(NAMES, line);
    assertFalse(hidden.contains("secret"), hidden);
    assertTrue(hidden.contains("~"), hidden);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no address here",
        "a lone @ sign",
        "@Override",
        "<>",
        "from=<> to=<>",
        "x@ y"
      })
  void whatIsNoAddressStays(String line) {
    assertEquals(line, hide(NAMES, line));
  }

  @Test
  void withoutAKeyAddressesCannotBeToldApart() {
    assertEquals("<~@example.com>", hide(Pseudonyms.withoutKey(), "<ann@example.com>"));
  }
}
