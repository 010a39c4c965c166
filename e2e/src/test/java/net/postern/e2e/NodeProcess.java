package net.postern.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.testkit.Await;

/**
 * An installation in a directory of its own, and the node that runs on it as a process: started
 * with the script at the root, asked by its ports, ended by signals. {@link #close} ends the node
 * and its PostgreSQL, however they are, and removes the directory; so does the end of this JVM.
 */
final class NodeProcess implements AutoCloseable {
  /** The packaged product. */
  static final Path HOME =
      Path.of(System.getProperty("postern.home", "..")).toAbsolutePath().normalize();

  /** Where scenarios work: on a real disk, under what a clean build removes. */
  static final Path WORK = HOME.resolve("e2e/target/scenarios");

  /** The domain of {@link #fresh} installations: every address of it is taken. */
  static final String DOMAIN = "dest.example";

  static final Duration START_LIMIT = Duration.ofSeconds(90);
  private static final Duration COMMAND_LIMIT = Duration.ofSeconds(60);
  private static final Pattern READY =
      Pattern.compile("^postern: ready; smtp ([^;]+); http ([^;]+); data (.*)$", Pattern.MULTILINE);
  private static final Set<NodeProcess> OPEN = ConcurrentHashMap.newKeySet();
  private static final HttpClient HTTP =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> OPEN.forEach(NodeProcess::close)));
  }

  /** How a command ended, and all it printed. */
  record Outcome(int code, String out) {}

  private final Path directory;
  private final Path data;
  private final Map<String, Map<String, String>> settings = new LinkedHashMap<>();
  private final StringBuilder appended = new StringBuilder();
  private List<String> prefix = List.of();
  private String jvmOptions = "";
  private Optional<Process> process = Optional.empty();
  private long logStart;
  private volatile InetSocketAddress smtp =
      new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 1);
  private volatile int http;

  private NodeProcess(Path directory, Path data) {
    this.directory = directory;
    this.data = data;
    set("node", "hostname", "\"mx.postern.example\"");
    set("node", "data", "\"" + data + "\"");
    set("edge", "listen", "[\"127.0.0.1:0\"]");
    set("edge", "unlimited_sources", "[\"127.0.0.0/8\"]");
    set("observe", "listen", "\"127.0.0.1:0\"");
    // A machine that stalls is no store that hangs: what a store lacks is then the scenario's
    // doing.
    set("vault", "store_wait", "\"30s\"");
    set("delivery", "first_retry", "\"1s\"");
    set("delivery", "max_retry", "\"2s\"");
    OPEN.add(this);
  }

  /** An installation with nothing in it yet. */
  static NodeProcess empty(String scenario) throws IOException {
    Path directory = newDirectory(scenario);
    return new NodeProcess(directory, directory.resolve("data"));
  }

  /**
   * An installation with one customer and its domain {@link #DOMAIN}, which has no route yet: a
   * copy of one that was made with the admin commands.
   */
  static NodeProcess fresh(String scenario) throws IOException, InterruptedException {
    Path directory = newDirectory(scenario);
    return fresh(directory, directory.resolve("data"));
  }

  /** The same with its data somewhere else. */
  static NodeProcess fresh(String scenario, Path data) throws IOException, InterruptedException {
    return fresh(newDirectory(scenario), data);
  }

  private static NodeProcess fresh(Path directory, Path data)
      throws IOException, InterruptedException {
    NodeProcess node = new NodeProcess(directory, data);
    Outcome copied =
        run(
            Map.of(),
            List.of("cp", "-a", Template.data() + "/.", Files.createDirectories(data) + "/"));
    if (copied.code() != 0) {
      throw new IOException("copy failed: " + copied.out());
    }
    return node;
  }

  /** Another process on the data of an installation. */
  static NodeProcess beside(NodeProcess first) throws IOException {
    return new NodeProcess(newDirectory("beside"), first.data);
  }

  /** Sets a key of the configuration for the next start; the value as TOML. */
  void set(String section, String key, String value) {
    settings.computeIfAbsent(section, each -> new LinkedHashMap<>()).put(key, value);
  }

  /** Leaves a key to its default again. */
  void unset(String section, String key) {
    settings.getOrDefault(section, new LinkedHashMap<>()).remove(key);
  }

  /** Adds to the end of the configuration: tables that there may be several of. */
  void append(String toml) {
    appended.append(toml);
  }

  /** Options for the JVM at the next start. */
  void jvm(String options) {
    jvmOptions = options;
  }

  /** Put before the command at the next start, such as setpriv. */
  void prefix(String... command) {
    prefix = List.of(command);
  }

  Path directory() {
    return directory;
  }

  Path data() {
    return data;
  }

  /** The three directories that hold the copies. */
  List<Path> stores() {
    return List.of(data.resolve("store-1"), data.resolve("store-2"), data.resolve("store-3"));
  }

  /** Where the node takes mail. */
  InetSocketAddress smtp() {
    return smtp;
  }

  /** Starts the node and waits until it is ready. */
  void start() throws IOException {
    launch();
    Process started = process.orElseThrow();
    Await.until(START_LIMIT, () -> READY.matcher(logOfRun()).find() || !started.isAlive());
    Matcher ready = READY.matcher(logOfRun());
    if (!ready.find()) {
      throw new AssertionError("the node did not start:\n" + logOfRun());
    }
    smtp = address(ready.group(1));
    http = address(ready.group(2)).getPort();
  }

  /** Starts a node that is to end by itself; returns its exit code and what it said. */
  Outcome startAndEnd() throws IOException, InterruptedException {
    launch();
    Process started = process.orElseThrow();
    if (!started.waitFor(START_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError("the node runs:\n" + logOfRun());
    }
    return new Outcome(started.exitValue(), logOfRun());
  }

  private void launch() throws IOException {
    if (process.isPresent() && process.get().isAlive()) {
      throw new IllegalStateException("it runs");
    }
    Path config = writeConfig();
    Path log = log();
    logStart = Files.exists(log) ? Files.size(log) : 0;
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(HOME.resolve("postern").toString(), "start", "--config", config.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
    environment(jvmOptions, builder.environment());
    process = Optional.of(builder.start());
  }

  /** Runs an admin command beside the node. */
  Outcome admin(String... arguments) throws IOException, InterruptedException {
    return command("admin", arguments);
  }

  /** Runs a command that looks into the stores, or mends them. */
  Outcome vault(String... arguments) throws IOException, InterruptedException {
    return command("vault", arguments);
  }

  private Outcome command(String group, String... arguments)
      throws IOException, InterruptedException {
    Map<String, String> environment = new TreeMap<>();
    environment("", environment);
    return run(environment, commandLine(group, arguments));
  }

  /** Starts a command and leaves it to itself: to be killed. */
  Process begin(String group, String... arguments) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(commandLine(group, arguments))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    environment("", builder.environment());
    return builder.start();
  }

  private List<String> commandLine(String group, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(HOME.resolve("postern").toString(), group));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--config", writeConfig().toString()));
    return command;
  }

  /** Runs an admin command that has to succeed. */
  String adminOk(String... arguments) throws IOException, InterruptedException {
    Outcome outcome = admin(arguments);
    if (outcome.code() != 0) {
      throw new AssertionError("admin " + String.join(" ", arguments) + ": " + outcome.out());
    }
    return outcome.out();
  }

  /** Sends the domain's mail to a server on loopback. */
  void routeTo(int port) throws IOException, InterruptedException {
    adminOk("route", "smtp", DOMAIN, "127.0.0.1:" + port);
  }

  /** SIGTERM. */
  void terminate() {
    process.orElseThrow().destroy();
  }

  /** SIGTERM, and waits; returns the exit code. */
  int stop(Duration limit) throws InterruptedException {
    terminate();
    return awaitExit(limit);
  }

  /** Waits for the node's end; returns the exit code. */
  int awaitExit(Duration limit) throws InterruptedException {
    Process running = process.orElseThrow();
    if (!running.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("the node still runs after " + limit + ":\n" + endOfLog());
    }
    return running.exitValue();
  }

  /** SIGKILL to the JVM; its PostgreSQL stays. */
  void kill() throws InterruptedException {
    Process running = process.orElseThrow();
    running.destroyForcibly();
    awaitExit(Duration.ofSeconds(30));
  }

  /** The JVM's: the script replaces itself by it. */
  long pid() {
    return process.orElseThrow().pid();
  }

  /** Waits until the node takes mail: a page may be asked while it is busy with something. */
  void awaitReady(Duration limit) {
    try {
      Await.until(limit, () -> status("/ready") == 200);
    } catch (AssertionError e) {
      throw new AssertionError("it is not ready:\n" + page("/ready") + endOfLog(), e);
    }
  }

  boolean isAlive() {
    return process.isPresent() && process.get().isAlive();
  }

  /** The postmaster's, when there is one. */
  OptionalLong postgresPid() {
    try {
      String first =
          Files.readAllLines(data.resolve("postgresql/data/postmaster.pid")).getFirst().strip();
      long pid = Long.parseLong(first);
      return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isPresent()
          ? OptionalLong.of(pid)
          : OptionalLong.empty();
    } catch (IOException | NumberFormatException | java.util.NoSuchElementException e) {
      return OptionalLong.empty();
    }
  }

  /** SIGKILL to the postmaster; returns its pid. */
  long killPostgres() {
    long pid = postgresPid().orElseThrow();
    ProcessHandle handle = ProcessHandle.of(pid).orElseThrow();
    handle.destroyForcibly();
    Await.until(() -> !handle.isAlive());
    return pid;
  }

  /** Status of a page of the node's HTTP server; 0 when it does not answer. */
  int status(String path) {
    try {
      return get(path).statusCode();
    } catch (IOException e) {
      return 0;
    }
  }

  /** Text of a page of the node's HTTP server. */
  String page(String path) {
    try {
      return get(path).body();
    } catch (IOException e) {
      return "";
    }
  }

  /** A metric's value, labels included in the name; 0 when it is not there. */
  double metric(String name) {
    for (String line : page("/metrics").split("\n")) {
      if (line.startsWith(name + " ")) {
        return Double.parseDouble(line.substring(name.length() + 1));
      }
    }
    return 0;
  }

  private HttpResponse<String> get(String path) throws IOException {
    try {
      return HTTP.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http + path))
              .timeout(Duration.ofSeconds(20))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** Resident memory of the JVM in MiB, from /proc. */
  long residentMegabytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid() + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
      }
    }
    throw new IOException("no VmRSS");
  }

  /** All that the node said since its last start. */
  String logOfRun() {
    try {
      byte[] all = Files.readAllBytes(log());
      int from = (int) Math.min(logStart, all.length);
      return new String(all, from, all.length - from, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The last lines of the log, without those about single messages. */
  String endOfLog() {
    List<String> lines =
        logOfRun()
            .lines()
            .filter(line -> !line.contains("event=") && !line.contains("was not taken"))
            .map(line -> line.substring(0, Math.min(300, line.length())))
            .toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
  }

  private Path log() {
    return directory.resolve("node.log");
  }

  Path writeConfig() throws IOException {
    StringBuilder text = new StringBuilder();
    settings.forEach(
        (section, keys) -> {
          text.append('[').append(section).append("]\n");
          keys.forEach((key, value) -> text.append(key + " = " + value + "\n"));
        });
    return Files.writeString(directory.resolve("postern.toml"), text.append(appended));
  }

  /** Ends the node and its PostgreSQL, and removes everything. */
  @Override
  public void close() {
    if (!OPEN.remove(this)) {
      return;
    }
    try {
      if (process.isPresent()) {
        process.get().destroyForcibly();
        process.get().waitFor(30, TimeUnit.SECONDS);
      }
      postgresPid()
          .ifPresent(
              pid -> {
                List<ProcessHandle> family = new ArrayList<>();
                ProcessHandle.of(pid)
                    .ifPresent(
                        server -> {
                          family.add(server);
                          server.children().forEach(family::add);
                        });
                family.forEach(ProcessHandle::destroyForcibly);
                Await.until(() -> family.stream().noneMatch(ProcessHandle::isAlive));
              });
      if (!Boolean.getBoolean("postern.e2e.keep")) {
        deleteTree(data);
        deleteTree(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Runs a command to its end; returns its exit code and what it printed. */
  static Outcome run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    return run(environment, COMMAND_LIMIT, command);
  }

  /** Runs a command that is to end within a limit. */
  static Outcome run(Map<String, String> environment, Duration limit, List<String> command)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile(Files.createDirectories(WORK), "out", ".txt");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .redirectOutput(out.toFile());
      builder.environment().putAll(environment);
      Process running = builder.start();
      if (!running.waitFor(limit.toSeconds(), TimeUnit.SECONDS)) {
        running.destroyForcibly();
        throw new AssertionError(command + " does not end:\n" + Files.readString(out));
      }
      return new Outcome(running.exitValue(), Files.readString(out));
    } finally {
      Files.delete(out);
    }
  }

  private static void environment(String jvmOptions, Map<String, String> to) {
    to.put("POSTERN_BUILD", "no");
    to.put(
        "POSTERN_JAVA_OPTS",
        "-Dpostern.postgres.binaries=" + HOME.resolve("e2e/target/postgresql") + " " + jvmOptions);
  }

  private static InetSocketAddress address(String text) {
    int colon = text.lastIndexOf(':');
    return new InetSocketAddress(
        InetAddress.ofLiteral(text.substring(0, colon)),
        Integer.parseInt(text.substring(colon + 1)));
  }

  private static Path newDirectory(String scenario) throws IOException {
    return Files.createTempDirectory(Files.createDirectories(WORK), scenario + "-");
  }

  private static void deleteTree(Path root) throws IOException, InterruptedException {
    // A killed server's children may still be writing their last.
    Outcome removed = new Outcome(1, "");
    for (int i = 0; i < 3 && removed.code() != 0; i++) {
      Process running = new ProcessBuilder("rm", "-rf", root.toString()).start();
      removed = new Outcome(running.waitFor(), "");
    }
  }

  /** The installation that {@link #fresh} ones are copies of; made once for this JVM. */
  private static final class Template {
    private static Optional<Path> made = Optional.empty();

    static synchronized Path data() throws IOException, InterruptedException {
      if (made.isPresent()) {
        return made.get();
      }
      NodeProcess node = NodeProcess.empty("template");
      node.start();
      node.adminOk("customer", "add", "acme");
      node.adminOk("domain", "add", DOMAIN, "--customer", "acme", "--catch-all");
      int code = node.stop(Duration.ofSeconds(60));
      if (code != 143 && code != 0) {
        throw new AssertionError("exit code " + code + ":\n" + node.endOfLog());
      }
      // Each copy takes a port of its own.
      Files.delete(node.data().resolve("postgresql/port"));
      made = Optional.of(node.data());
      return node.data();
    }
  }

  /** Waits until all stores hold the same files with the same bytes. */
  void awaitEqualStores(Duration limit) {
    try {
      Await.until(limit, () -> StoreFiles.difference(stores()).isEmpty());
    } catch (AssertionError e) {
      throw new AssertionError(
          "stores differ:\n" + StoreFiles.difference(stores()) + endOfLog(), e);
    }
  }
}
