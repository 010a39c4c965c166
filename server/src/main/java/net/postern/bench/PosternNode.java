package net.postern.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.postern.config.ConfigLoader;
import net.postern.config.PosternConfig;

/** A node of this program as an operator would run it, in a process of its own. */
final class PosternNode implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(90);

  private final Child child;
  private final Path configFile;

  private PosternNode(Child child, Path configFile) {
    this.child = child;
    this.configFile = configFile;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param directory for its data, its configuration and what it prints
   * @param configuration text of the configuration file
   */
  static PosternNode start(Path directory, String configuration) throws BenchException {
    Path home = directory.resolve("postern");
    Path file = home.resolve("postern.toml");
    try {
      Files.createDirectories(home);
      Files.writeString(file, configuration);
    } catch (IOException e) {
      throw new BenchException("cannot write the configuration", e);
    }
    PosternNode node =
        new PosternNode(Child.start(directory.resolve("postern.txt"), command(file)), file);
    try {
      if (!Child.await(READY, () -> !node.child.alive() || node.printed("postern: ready;"))) {
        throw new BenchException("the node is not ready: " + node.child.text());
      }
      if (!node.child.alive()) {
        throw new BenchException("the node ended: " + node.child.text());
      }
      return node;
    } catch (BenchException e) {
      node.close();
      throw e;
    }
  }

  // The same options as the postern script gives a node.
  private static List<String> command(Path config) throws BenchException {
    String java =
        ProcessHandle.current()
            .info()
            .command()
            .orElseThrow(() -> new BenchException("which java?"));
    List<String> command =
        new ArrayList<>(
            List.of(
                java,
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:MaxRAMPercentage=50",
                "-XX:+UseCompactObjectHeaders",
                "-XX:+ExitOnOutOfMemoryError"));
    String options = System.getenv().getOrDefault("POSTERN_JAVA_OPTS", "");
    for (String option : options.split(" ")) {
      if (!option.isBlank()) {
        command.add(option);
      }
    }
    command.addAll(List.of("-jar", jar(), "start", "--config", config.toString()));
    return command;
  }

  private static String jar() throws BenchException {
    Path jar = Path.of(System.getProperty("postern.home", "."), "server/target/postern.jar");
    if (!Files.exists(jar)) {
      throw new BenchException(jar + " is missing: run this by the postern script");
    }
    return jar.toString();
  }

  PosternConfig config() {
    return ConfigLoader.load(configFile);
  }

  long pid() {
    return child.pid();
  }

  private boolean printed(String text) {
    try {
      return child.text().contains(text);
    } catch (BenchException e) {
      return false;
    }
  }

  @Override
  public void close() {
    child.close();
  }
}
