package net.postern.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import net.postern.mime.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command as a user calls it. */
class ScanCommandTest {
  private static final String CLEAN =
      """
      From: ann@example.com
      To: bob@example.net
      Subject: Minutes
      Date: Mon, 1 Jun 2026 10:00:00 +0000
      Message-ID: <a@example.com>
      Received: from a by b; Mon, 1 Jun 2026 10:00:01 +0000
      """
          .replace("\n", "\r\n");
  private static final String GTUBE =
      "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-" + "ANTI-UBE-TEST-EMAIL*C.34X";

  @TempDir private Path dir;

  private record Run(int exit, String out, String err) {}

  private static Run run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exit =
        new CommandLine(new ScanCommand())
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(args);
    return new Run(exit, out.toString(), err.toString());
  }

  private String write(String name, String content) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content, UTF_8);
    return file.toString();
  }

  @Test
  void json_has_exactly_the_promised_fields() throws IOException {
    String file =
        write(
            "a.eml",
            CLEAN
                + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n"
                + "Content-Type: text/plain; name=\"n.txt\"\r\n\r\n"
                + GTUBE
                + "\r\n--b--\r\n");
    Run run = run("--json", file);
    assertEquals(0, run.exit, run.err);
    assertEquals(1, run.out.lines().count());
    JsonNode json = new JsonMapper().readTree(run.out);
    assertEquals(
        List.of("file", "verdict", "score", "probability", "findings", "parts", "millis"),
        List.copyOf(json.propertyNames()));
    assertEquals(file, json.get("file").asString());
    assertEquals("REJECT", json.get("verdict").asString());
    assertEquals(1000, json.get("score").asDouble());
    assertEquals(1.0, json.get("probability").asDouble());
    JsonNode finding = json.get("findings").get(0);
    assertEquals(List.of("name", "score", "detail"), List.copyOf(finding.propertyNames()));
    assertEquals("GTUBE", finding.get("name").asString());
    JsonNode part = json.get("parts").get(0);
    assertEquals(
        List.of("path", "type", "name", "bytes", "sha256"), List.copyOf(part.propertyNames()));
    assertEquals("1", part.get("path").asString());
    assertEquals(5, part.get("bytes").asInt());
    assertEquals(
        "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969",
        part.get("sha256").asString());
    assertEquals("n.txt", json.get("parts").get(1).get("name").asString());
    assertTrue(json.get("millis").isNumber());
  }

  @Test
  void text_names_file_verdict_and_findings() throws IOException {
    String clean = write("clean.eml", CLEAN + "\r\nHello\r\n");
    String spam = write("spam.eml", CLEAN + "\r\n" + GTUBE + "\r\n");
    Run run = run(clean, spam);
    assertEquals(0, run.exit);
    assertEquals(clean + ": PASS, score 0.0 (spam probability 0.02)", line(run.out, 0));
    assertTrue(line(run.out, 1).startsWith(spam + ": REJECT, score 1000.0"), run.out);
    assertTrue(line(run.out, 2).contains("GTUBE  "), run.out);
    assertTrue(line(run.out, 2).contains("generic test for unsolicited bulk email"), run.out);
  }

  @Test
  void directories_are_walked_in_sorted_order() throws IOException {
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      expected.add(write("d%d/m%02d.eml".formatted(i / 50, i % 50), CLEAN + "\r\n" + i));
    }
    Run run = run("--json", dir.toString());
    JsonMapper mapper = new JsonMapper();
    assertEquals(
        expected, run.out.lines().map(l -> mapper.readTree(l).get("file").asString()).toList());
  }

  @Test
  void what_cannot_be_read_is_named_and_the_rest_is_judged() throws IOException {
    String good = write("good.eml", CLEAN + "\r\nHello\r\n");
    String missing = dir.resolve("missing.eml").toString();
    Run run = run("--json", missing, good);
    assertEquals(2, run.exit);
    assertEquals("postern scan: cannot read " + missing + ": no such file\n", run.err);
    assertTrue(run.out.contains("good.eml"));
  }

  @Test
  void wrong_options_are_explained() {
    assertEquals(2, run("--nonsense").exit);
    Run none = run();
    assertEquals(2, none.exit);
    assertTrue(none.err.contains("FILE|DIR|-"), none.err);
  }

  @Test
  void a_kept_message_is_judged_as_on_the_day_it_came() {
    Instant now = Instant.parse("2030-01-01T00:00:00Z");
    Message message = Message.parse((CLEAN + "\r\n").getBytes(UTF_8));
    assertEquals(
        Instant.parse("2026-06-01T10:00:01Z"), ScanCommand.arrival(message.headers(), now));
    Instant before = Instant.parse("2020-01-01T00:00:00Z");
    assertEquals(before, ScanCommand.arrival(message.headers(), before));
  }

  private static String line(String text, int n) {
    return text.lines().toList().get(n);
  }
}
