package net.postern.mime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every file of {@code mime/cases}: expectations above {@code =====}, the message below. */
class MimeCasesTest {

  @TestFactory
  Stream<DynamicTest> cases() throws IOException, URISyntaxException {
    Path dir = Path.of(MimeCasesTest.class.getResource("/mime/cases").toURI());
    List<Path> files;
    try (Stream<Path> list = Files.list(dir)) {
      files = list.sorted().toList();
    }
    assertFalse(files.isEmpty());
    return files.stream()
        .map(f -> DynamicTest.dynamicTest(f.getFileName().toString(), () -> check(f)));
  }

  private static void check(Path file) {
    String all;
    try {
      all = Files.readString(file, UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int split = all.indexOf("=====\n");
    String text = all.substring(split + 6);
    List<String> parts = new ArrayList<>();
    TreeSet<String> defects = new TreeSet<>();
    String subject = "";
    List<String> decoding = new ArrayList<>();
    for (String line : all.substring(0, split).split("\n")) {
      String value = line.substring(line.indexOf(':') + 1).trim();
      if (line.equals("crlf")) {
        text = text.replace("\n", "\r\n");
      } else if (line.startsWith("subject:")) {
        subject = value;
      } else if (line.startsWith("part:")) {
        parts.add(value.replaceAll("\\s*\\|\\s*", "|"));
      } else if (line.startsWith("defect:")) {
        defects.addAll(List.of(value.split(" ")));
      } else if (line.startsWith("decoding:")) {
        decoding.addAll(List.of(value.split(" ")));
      }
    }
    Message message = Message.parse(text.getBytes(UTF_8));
    List<String> seen =
        message.leaves().stream()
            .map(
                p ->
                    String.join(
                        "|",
                        p.path(),
                        p.type(),
                        p.fileName(),
                        p.text(10_000).strip().replace("\r", "").replace("\n", "⏎")))
            .toList();
    assertEquals(String.join("\n", parts), String.join("\n", seen));
    assertEquals(subject, message.headers().decoded("Subject"));
    TreeSet<String> found = new TreeSet<>();
    message.defects().forEach(d -> found.add(d.defect().name()));
    assertEquals(defects, found);
    if (!decoding.isEmpty()) {
      DecodedStream in = message.leaves().getFirst().open();
      in.drain(10_000);
      TreeSet<String> names = new TreeSet<>();
      in.defects().forEach(d -> names.add(d.name()));
      assertEquals(new TreeSet<>(decoding.subList(1, decoding.size())), names);
    }
  }
}
