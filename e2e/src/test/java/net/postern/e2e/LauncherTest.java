package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script at the root: wherever it is called from, and when something is missing. */
class LauncherTest {
  private static final Path HOME = Path.of(System.getProperty("postern.home", "..")).normalize();
  private static final String JDK = System.getProperty("java.home", "");
  private static final long MAX_SECONDS = 60;

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private static Path shared;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  private Path directory;

  private record Outcome(int code, String out) {}

  @BeforeAll
  static void toolsWithoutJavaAndMaven() throws IOException {
    Path bin = Files.createDirectory(shared.resolve("bin"));
    for (String tool :
        new String[] {
          "sh",
          "bash",
          "dash",
          "sed",
          "readlink",
          "dirname",
          "find",
          "head",
          "mkdir",
          "cat",
          "rm",
          "mv",
          "grep",
          "sleep",
          "tr",
          "id"
        }) {
      for (String place : new String[] {"/usr/bin", "/bin"}) {
        Path real = Path.of(place, tool);
        if (Files.exists(real) && !Files.exists(bin.resolve(tool))) {
          Files.createSymbolicLink(bin.resolve(tool), real);
        }
      }
    }
  }

  private Outcome run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile(directory, "out", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", shared.resolve("bin").toString());
    builder.environment().put("HOME", directory.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(MAX_SECONDS, TimeUnit.SECONDS), "still running");
    } finally {
      process.destroyForcibly();
    }
    return new Outcome(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash", "bash"})
  void runsFromAnywhereThroughALinkWithBlanks(String shell)
      throws IOException, InterruptedException {
    assumeTrue(Files.exists(shared.resolve("bin").resolve(shell)), shell + " is not here");
    Path real = HOME.toRealPath().resolve("postern");
    Path folder = Files.createDirectory(directory.resolve("a folder"));
    Path link = Files.createSymbolicLink(folder.resolve("my postern"), real);
    Files.createSymbolicLink(directory.resolve("second"), Path.of("a folder/my postern"));
    for (String script : new String[] {real.toString(), link.toString(), "second"}) {
      Outcome outcome =
          run(
              Map.of("JAVA_HOME", JDK, "POSTERN_BUILD", "no"),
              shared.resolve("bin").resolve(shell).toString(),
              script,
              "--version");
      assertEquals(0, outcome.code(), outcome.out());
      assertTrue(outcome.out().startsWith("Postern "), outcome.out());
    }
  }

  @Test
  void theCommandsExitCodeIsTheScripts() throws IOException, InterruptedException {
    Path bad = Files.writeString(directory.resolve("bad.toml"), "[edge]\nlisten = 25\n");
    Outcome outcome =
        run(
            Map.of("JAVA_HOME", JDK, "POSTERN_BUILD", "no"),
            HOME.toRealPath().resolve("postern").toString(),
            "config",
            "check",
            bad.toString());
    assertEquals(1, outcome.code(), outcome.out());
    assertTrue(outcome.out().contains(bad + ":2: edge.listen: has to be a list"), outcome.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "C", "POSIX", "C.UTF-8"})
  void fileNamesMayBeInAnyLanguage(String locale) throws IOException, InterruptedException {
    Path mail = Files.createDirectory(directory.resolve("mail"));
    Path script = directory.resolve("scan");
    // Through a script, since this process may not be able to write the name itself.
    Files.writeString(
        script,
        "cd '%s' && printf 'From: a@b.example\\n\\nhi' > gr\u00fc\u00dfe.eml && '%s' scan gr\u00fc\u00dfe.eml\n"
            .formatted(mail, HOME.toRealPath().resolve("postern")));
    Outcome outcome =
        run(
            Map.of("JAVA_HOME", JDK, "POSTERN_BUILD", "no", "LC_ALL", locale),
            shared.resolve("bin/sh").toString(),
            script.toString());
    assertEquals(0, outcome.code(), outcome.out());
    assertTrue(outcome.out().startsWith("gr\u00fc\u00dfe.eml: "), outcome.out());
  }

  @Test
  void optionsForTheJvmComeAfterItsOwn() throws IOException, InterruptedException {
    Outcome outcome =
        run(
            Map.of(
                "JAVA_HOME", JDK, "POSTERN_BUILD", "no", "POSTERN_JAVA_OPTS", "-Da=* -showversion"),
            HOME.toRealPath().resolve("postern").toString(),
            "--version");
    assertEquals(0, outcome.code(), outcome.out());
    assertTrue(outcome.out().contains("Server VM"), outcome.out());
  }

  @Test
  void withoutAJdkItSaysWhatToInstall() throws IOException, InterruptedException {
    Path old = Files.createDirectories(directory.resolve("jdk-17/bin"));
    for (String tool : new String[] {"java", "javac"}) {
      assertTrue(Files.createFile(old.resolve(tool)).toFile().setExecutable(true));
    }
    Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"17.0.9\"\n");
    Outcome outcome =
        run(
            Map.of("JAVA_HOME", directory.resolve("jdk-17").toString()),
            copyThatFindsNothing().toString(),
            "demo");
    assertEquals(69, outcome.code(), outcome.out());
    for (String part :
        Arrays.asList("no JDK 25", "jdk-17", "apt install openjdk-25", "dnf install", "brew")) {
      assertTrue(outcome.out().contains(part), part + " is not in: " + outcome.out());
    }
  }

  @Test
  void withoutMavenItSaysWhatToInstall() throws IOException, InterruptedException {
    Outcome outcome = run(Map.of("JAVA_HOME", JDK), copyThatFindsNothing().toString(), "demo");
    assertEquals(69, outcome.code(), outcome.out());
    for (String part : Arrays.asList("Maven is needed", "apt install maven", "brew install")) {
      assertTrue(outcome.out().contains(part), part + " is not in: " + outcome.out());
    }
  }

  /** A Maven that fails stands for a build that does. */
  @Test
  void aFailedBuildShowsItsErrorsAndLog() throws IOException, InterruptedException {
    Path script = copyThatFindsNothing();
    Path maven = Files.createDirectories(directory.resolve("maven/bin")).resolve("mvn");
    Files.writeString(maven, "#!/bin/sh\necho '[ERROR] no luck today'\nexit 1\n");
    assertTrue(maven.toFile().setExecutable(true));
    Outcome outcome =
        run(
            Map.of("JAVA_HOME", JDK, "MAVEN_HOME", directory.resolve("maven").toString()),
            script.toString(),
            "demo");
    assertEquals(70, outcome.code(), outcome.out());
    assertTrue(outcome.out().startsWith("building (first time: a few minutes) ..."), outcome.out());
    assertTrue(outcome.out().contains("no luck today"), outcome.out());
    Path log = script.toRealPath().resolveSibling("target/build.log");
    assertTrue(outcome.out().contains(log.toString()), outcome.out());
    try (Stream<Path> left = Files.list(log.resolveSibling("."))) {
      assertTrue(left.noneMatch(file -> file.endsWith("build.lock")), "the lock is left");
    }
  }

  /** A file stands for a directory that another user built in. */
  @Test
  void whereItCannotBuildItSaysSo() throws IOException, InterruptedException {
    Path script = copyThatFindsNothing();
    Path maven = Files.createDirectories(directory.resolve("maven/bin")).resolve("mvn");
    Files.writeString(maven, "#!/bin/sh\nexit 0\n");
    assertTrue(maven.toFile().setExecutable(true));
    Files.createFile(script.resolveSibling("target"));
    Outcome outcome =
        run(
            Map.of("JAVA_HOME", JDK, "MAVEN_HOME", directory.resolve("maven").toString()),
            script.toString(),
            "demo");
    assertEquals(70, outcome.code(), outcome.out());
    assertTrue(outcome.out().contains("no permission to write in"), outcome.out());
    assertTrue(outcome.out().contains("POSTERN_BUILD=no"), outcome.out());
  }

  /** The script in an empty project, looking for JDKs and Maven only where the test says. */
  private Path copyThatFindsNothing() throws IOException {
    Path project = Files.createDirectories(directory.resolve("pro ject"));
    String text = Files.readString(HOME.resolve("postern"));
    for (String place :
        new String[] {
          "/usr/lib/jvm/*",
          "/opt/jdk*",
          "/opt/java/*",
          "/opt/homebrew/bin/mvn",
          "/usr/local/bin/mvn",
          "/usr/share/maven/bin/mvn",
          "/opt/maven/bin/mvn"
        }) {
      assertTrue(text.contains(place), place);
      text = text.replace(place, "/nonexistent");
    }
    Path script = Files.writeString(project.resolve("postern"), text);
    assertTrue(script.toFile().setExecutable(true));
    Files.writeString(project.resolve("pom.xml"), "<project/>");
    Files.createDirectories(project.resolve("server/src/main"));
    Files.writeString(project.resolve("server/pom.xml"), "<project/>");
    return script;
  }
}
