package net.postern.mime;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Input made to cost more than linear time. Each takes well under a second; a quadratic reader
 * would take minutes.
 */
class MimeTimeTest {
  private static final int SIZE = 4_000_000;

  @TestFactory
  Stream<DynamicTest> hostile_input_costs_linear_time() {
    String multi = "Content-Type: multipart/mixed; boundary=b\n\n";
    String nested = "";
    for (int i = 0; i < 40; i++) {
      nested +=
          "Content-Type: multipart/mixed; boundary="
              + "a".repeat(i + 1)
              + "\n\n--"
              + "a".repeat(i + 1)
              + "\n";
    }
    List<String> inputs =
        List.of(
            fill("", "a: b\n"),
            fill("a: ", "\n "),
            fill("Subject: ", "=?"),
            fill("Subject: ", "=?a?q?"),
            fill("Subject: ", "=?a?q?b?= "),
            fill("From: ", "("),
            fill("From: ", "<"),
            fill("From: ", "\"a\" "),
            fill("From: ", "a@b,"),
            fill("Content-Type: text/plain", "; a=("),
            fill("Content-Type: text/plain", "; a=\""),
            fill("Content-Type: text/plain", ";n*"),
            fill("Content-Type: text/plain; ", "("),
            fill(multi, "--b\n"),
            fill(multi, "--b\n\n"),
            fill(multi, "--b \t"),
            fill(multi, "--bb\n"),
            fill(nested, "--" + "a".repeat(60) + "\n"),
            fill("", "Content-Type: message/rfc822\n\n"),
            fill("Content-Transfer-Encoding: quoted-printable\n\n", "= "),
            fill("Content-Transfer-Encoding: quoted-printable\n\n", " "),
            fill("Content-Transfer-Encoding: base64\n\n", "=A"),
            fill("", "no colon here\nx: y\n"));
    return inputs.stream()
        .map(
            text ->
                DynamicTest.dynamicTest(
                    text.substring(0, 40).replaceAll("\\s", " "),
                    () ->
                        assertTimeoutPreemptively(
                            Duration.ofSeconds(20),
                            () -> {
                              Message message = Message.parse(text.getBytes(US_ASCII));
                              for (HeaderField field : message.headers().fields()) {
                                field.decoded();
                                Mailbox.parseList(field.text());
                              }
                              message.leaves().forEach(Part::digest);
                            })));
  }

  @Test
  void depth_and_count_are_bounded() {
    String deep = "";
    for (int i = 0; i < 100; i++) {
      deep += "Content-Type: multipart/mixed; boundary=b" + i + "\n\n--b" + i + "\n";
    }
    assertTrue(Message.parse(deep.getBytes(US_ASCII)).has(Defect.TOO_DEEP));
    String many = "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n".repeat(2000);
    Message message = Message.parse(many.getBytes(US_ASCII));
    assertTrue(message.has(Defect.TOO_MANY_PARTS));
    assertTrue(message.leaves().size() <= ParseLimits.DEFAULT.maxParts());
  }

  private static String fill(String start, String piece) {
    return start + piece.repeat((SIZE - start.length()) / piece.length());
  }
}
