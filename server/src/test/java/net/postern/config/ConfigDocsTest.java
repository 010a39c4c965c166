package net.postern.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigDocsTest {
  private static final Path DOCS = Path.of("../docs");

  @Test
  void committedDocumentsAreTheOnesTheCodeWrites() throws IOException {
    String how = " is out of date: run ./postern config docs and commit it";
    assertEquals(
        ConfigDocs.page(), Files.readString(DOCS.resolve(ConfigDocs.PAGE)), ConfigDocs.PAGE + how);
    assertEquals(
        ConfigDocs.sample(),
        Files.readString(DOCS.resolve(ConfigDocs.SAMPLE)),
        ConfigDocs.SAMPLE + how);
  }

  @Test
  void theSampleIsAConfiguration() {
    PosternConfig config = ConfigLoader.fromText(ConfigDocs.sample(), Path.of("/etc/postern"));
    assertEquals("mx1.example.com", config.node().hostname());
  }

  /** What the sample shows as defaults means the same as leaving it out. */
  @Test
  void everyCommentedDefaultMayBeWrittenOut() {
    String all =
        Pattern.compile("^#(?=[a-z_]+ = )", Pattern.MULTILINE)
            .matcher(ConfigDocs.sample())
            .replaceAll("");
    assertTrue(all.contains("\nmax_recipients = 1000\n"), all);
    Path base = Path.of("/etc/postern");
    assertEquals(
        ConfigLoader.fromText(ConfigDocs.sample(), base), ConfigLoader.fromText(all, base));
  }

  @Test
  void everyKeyIsExplainedBoundedOrRequired() {
    List<ConfigSchema.Section> all = new ArrayList<>(ConfigLoader.schema().sections());
    ConfigLoader.schema().sections().forEach(section -> all.addAll(section.tables()));
    for (ConfigSchema.Section section : all) {
      for (ConfigSchema.Key key : section.keys()) {
        assertTrue(key.doc().endsWith("."), key.fullName() + ": @Doc ends with a full stop");
        assertTrue(
            key.defaultText().isPresent() || !key.example().isEmpty(),
            key.fullName() + ": needs @Default or @Example");
        key.defaultText()
            .filter(text -> key.range().isPresent() && key.shape() == ConfigSchema.Shape.SINGLE)
            .ifPresent(text -> assertWithin(key, text));
      }
    }
  }

  private static void assertWithin(ConfigSchema.Key key, String text) {
    long size =
        key.kind()
            .readText(text, Path.of(""))
            .flatMap(value -> key.kind().size().map(measure -> measure.applyAsLong(value)))
            .orElseThrow();
    ConfigSchema.Range range = key.range().orElseThrow();
    assertTrue(
        range.min() <= size && size <= range.max(),
        key.fullName() + ": the default is out of bounds");
  }

  @Test
  void bothFilesAreWritten(@TempDir Path directory) throws IOException {
    ConfigDocs.write(directory.resolve("new"));
    assertEquals(
        ConfigDocs.page(), Files.readString(directory.resolve("new").resolve(ConfigDocs.PAGE)));
    assertEquals(
        ConfigDocs.sample(), Files.readString(directory.resolve("new").resolve(ConfigDocs.SAMPLE)));
  }
}
