package net.postern.filter;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.postern.filter.content.HtmlText;
import org.junit.jupiter.api.Test;

/** What holds for any message: an answer, the same one twice, in bounded time. */
class PipelineBoundsTest {
  private static final Pipeline PIPELINE = Pipeline.standard();
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

  private static Judgement judge(byte[] message) {
    return PIPELINE.judge(
        new Sample(Optional.empty(), "", Optional.empty(), List.of(), message, NOW));
  }

  @Provide
  static Arbitrary<String> mails() {
    return Arbitraries.of(
            "From: a\u0000b@c, <<>\"\n",
            "To: undisclosed (\n",
            "Subject: =?x?b?AA?= \u00ff\n",
            "Date: 99 Jun 99999999999 1:2\n",
            "Message-ID: <@>\n",
            "Content-Type: text/html\n",
            "Content-Type: multipart/mixed; boundary=b\n",
            "Content-Transfer-Encoding: base64\n",
            "Content-Disposition: attachment; filename=\".exe. .\"\n",
            "\n",
            "--b\n",
            "<a href=http://[::1><img width=0 src=x style='",
            "<a href=\"https://@/\">www.",
            "</a><form><input type=password>",
            "http://",
            "https://0x7f@1.2.3.4.:99 ",
            "&#99999999999;&#xd800;&",
            "<!--",
            "<",
            "next of kin viagra ")
        .list()
        .ofMaxSize(40)
        .map(pieces -> String.join("", pieces));
  }

  @Property(tries = 2000)
  void every_message_is_judged_and_twice_alike(@ForAll("mails") String text) {
    byte[] message = text.getBytes(ISO_8859_1);
    Judgement once = judge(message);
    assertEquals(once, judge(message));
    assertTrue(once.probability() >= 0 && once.probability() <= 1);
    for (Finding finding : once.findings()) {
      assertTrue(finding.detail().chars().noneMatch(Character::isISOControl), finding::toString);
    }
  }

  @Property(tries = 500)
  void any_markup_is_read(@ForAll String html) {
    HtmlText.read(html);
    HtmlText.read("<" + html);
    HtmlText.read("<a " + html + ">" + html);
  }

  @Test
  void hostile_markup_costs_linear_time() {
    for (String piece :
        List.of("<", "<a ", "<a href=\"", "<!--", "</", "&#", "<style>", "<a>", "<p hidden>")) {
      String html = piece.repeat(2_000_000 / piece.length());
      assertTimeoutPreemptively(Duration.ofSeconds(20), () -> HtmlText.read(html), piece);
    }
  }

  @Test
  void a_message_of_50_megabytes_is_judged_in_seconds() {
    byte[] message = new byte[50_000_000];
    new Random(1).nextBytes(message);
    byte[] head =
        "From: a@b.example\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            .getBytes(US_ASCII);
    System.arraycopy(head, 0, message, 0, head.length);
    assertTimeoutPreemptively(Duration.ofSeconds(20), () -> judge(message));
  }
}
