package net.postern.auth;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import net.postern.dns.MapResolver;

/**
 * Any record is either read or refused, and what is read can be evaluated. Run with JAZZER_FUZZ=1
 * to search; otherwise the stored inputs are tried.
 */
class SpfFuzzTest {

  @FuzzTest(maxDuration = "1m")
  void records(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    MapResolver zone =
        new MapResolver()
            .txt("a.example", "v=spf1 " + text)
            .txt("b.example", "v=spf1 -all exp=c.example")
            .txt("c.example", text)
            .ptr("192.0.2.1", "a.example")
            .a("a.example", "192.0.2.1");
    Spf spf = new Spf(zone, Spf.STANDARD_LIMIT, Clock.systemUTC());
    for (String client : new String[] {"192.0.2.1", "2001:db8::1"}) {
      for (String domain : new String[] {"a.example", "b.example", text}) {
        SpfQuestion question =
            new SpfQuestion(
                InetAddress.ofLiteral(client),
                SpfQuestion.Identity.MAIL_FROM,
                "anna",
                domain,
                text,
                "receiver.example");
        SpfResult result = spf.check(question);
        requirePrintable(ReceivedSpf.field(question, result));
        requirePrintable(ReceivedSpf.authenticationResult(question, result));
        result.explanation().ifPresent(SpfFuzzTest::requirePrintable);
      }
    }
  }

  private static void requirePrintable(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x7f || (c < ' ' && "\r\n\t".indexOf(c) < 0)) {
        throw new AssertionError(text);
      }
    }
  }
}
