package net.postern.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import net.postern.config.ConfigLoader;
import net.postern.config.PosternConfig;
import net.postern.node.Node;
import net.postern.node.StartException;
import net.postern.observe.Logging;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code postern start}: runs a node until SIGTERM or SIGINT, then drains. */
@Command(
    name = "start",
    description = "Runs a node; SIGTERM lets what is under way finish, then stops it.",
    mixinStandardHelpOptions = true)
final class StartCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before anything else
  private CommandSpec spec;

  @Option(names = "--config", required = true, paramLabel = "FILE", description = "Configuration.")
  @SuppressWarnings("NullAway.Init") // required
  private Path file;

  @Override
  public void run() {
    PosternConfig config = ConfigLoader.load(file);
    Logging.start(config.observe());
    Node node;
    try {
      node = Node.start(config);
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    }
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("stop")
                .unstarted(
                    () -> {
                      node.close();
                      Logging.stop();
                      stopped.countDown();
                      // Otherwise the JVM ends with 143, which a supervisor takes for a failure.
                      Runtime.getRuntime().halt(Exit.OK);
                    }));
    PrintWriter out = spec.commandLine().getOut();
    out.println(ready(node));
    out.flush();
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The line that says where the node answers: programs wait for it. */
  static String ready(Node node) {
    return "postern: ready; smtp %s; http %s; data %s"
        .formatted(
            node.smtpPorts().stream()
                .map(at -> at.getAddress().getHostAddress() + ":" + at.getPort())
                .collect(Collectors.joining(",")),
            node.httpPort().map(port -> "127.0.0.1:" + port).orElse("off"),
            node.data().root());
  }
}
