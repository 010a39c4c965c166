package net.postern.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every file below {@code config/bad} gives exactly the messages in its leading comments; every one
 * below {@code config/good} gives none.
 */
class ConfigFilesTest {
  private static final Path FILES = Path.of("src/test/resources/config");

  @TestFactory
  Stream<DynamicTest> bad() throws IOException {
    return files("bad")
        .map(
            file ->
                DynamicTest.dynamicTest(
                    String.valueOf(file.getFileName()),
                    () -> {
                      List<String> expected = new ArrayList<>(expected(file));
                      assertFalse(expected.isEmpty(), "no expected message in the comments");
                      ConfigException failure =
                          assertThrows(ConfigException.class, () -> ConfigLoader.load(file));
                      String base = FILES.toAbsolutePath().toString();
                      List<String> messages =
                          failure.problems().stream()
                              .map(problem -> problem.describe("postern.toml"))
                              .map(text -> text.replace(base, "CONFIG"))
                              .toList();
                      // "..." stands for what grows with the product, such as a list of sections.
                      for (int i = 0; i < Math.min(expected.size(), messages.size()); i++) {
                        String begin = expected.get(i).replaceFirst("\\.\\.\\.$", "");
                        if (messages.get(i).startsWith(begin) && expected.get(i).endsWith("...")) {
                          expected.set(i, messages.get(i));
                        }
                      }
                      assertEquals(String.join("\n", expected), String.join("\n", messages));
                    }));
  }

  @TestFactory
  Stream<DynamicTest> good() throws IOException {
    return files("good")
        .map(
            file ->
                DynamicTest.dynamicTest(
                    String.valueOf(file.getFileName()), () -> ConfigLoader.load(file)));
  }

  @Test
  void unreadableFiles(@org.junit.jupiter.api.io.TempDir Path directory) throws IOException {
    Path missing = directory.resolve("missing.toml");
    assertEquals(
        missing + ": no such file; docs/postern.sample.toml is one to start from",
        message(missing));
    assertEquals(directory + ": is a directory; name the file in it", message(directory));

    Path latin = Files.write(directory.resolve("latin.toml"), new byte[] {'#', (byte) 0xe9});
    assertEquals(latin + ": is not UTF-8; save it in that encoding", message(latin));

    Path large = Files.write(directory.resolve("large.toml"), new byte[ConfigLoader.MAX_BYTES + 1]);
    assertTrue(message(large).contains("is larger than"), message(large));
  }

  private static String message(Path file) {
    return String.valueOf(
        assertThrows(ConfigException.class, () -> ConfigLoader.load(file)).getMessage());
  }

  private static Stream<Path> files(String kind) throws IOException {
    try (Stream<Path> files = Files.list(FILES.resolve(kind))) {
      return files.filter(file -> file.toString().endsWith(".toml")).sorted().toList().stream();
    }
  }

  private static List<String> expected(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .takeWhile(line -> line.startsWith("#"))
        .map(line -> line.substring(1).strip())
        .toList();
  }
}
