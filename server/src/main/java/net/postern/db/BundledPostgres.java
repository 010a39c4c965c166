package net.postern.db;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import net.postern.keys.Aead;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bundled PostgreSQL: real programs, run as a child process on loopback with a password.
 *
 * <p>A server that a killed Postern left behind is adopted. One that dies is started again, by one
 * thread that watches. PostgreSQL refuses to run as root; when Postern does, the programs are run
 * in a user namespace ({@code unshare -U}), where they are not root but own their files.
 */
public final class BundledPostgres implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BundledPostgres.class);
  private static final String USER = "postern";
  private static final Path SETSID = Path.of("/usr/bin/setsid");
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  /** Attempts to launch before giving up: children of a killed server go within seconds. */
  private static final int MAX_LAUNCHES = 30;

  private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
  private static final Duration PORT_LIMIT = Duration.ofSeconds(3);

  private static final int FIRST_PORT = 20_000;

  /**
   * Linux gives ports from 32768 on to whoever connects: one of those could be in use whenever the
   * server is to start again.
   */
  private static final int END_PORT = 32_000;

  private static final int PORT_TRIES = 500;

  private final Path home;
  private final Path directory;
  private final Path log;
  private final int port;
  private final String password;
  private final List<String> prefix;
  private final Thread watcher;
  private volatile ProcessHandle server;
  private volatile boolean closed;
  private final AtomicInteger restarts = new AtomicInteger();

  private BundledPostgres(Path home, Path base, int port, String password, List<String> prefix)
      throws DatabaseException, IOException {
    this.home = home;
    this.directory = base.resolve("data");
    this.log = base.resolve("postgresql.log");
    this.port = port;
    this.password = password;
    this.prefix = prefix;
    Optional<ProcessHandle> left = leftBehind(directory);
    if (left.isPresent() && portOf(directory) == port) {
      this.server = left.get();
      LOG.info("adopted the PostgreSQL that runs as process {}", server.pid());
    } else {
      if (left.isPresent()) {
        LOG.info(
            "stopping the PostgreSQL that runs on another port as process {}", left.get().pid());
        stop();
      }
      removeStaleLock(directory);
      this.server = launch();
    }
    awaitReady();
    this.watcher = Thread.ofPlatform().name("postgres-watch").daemon().start(this::watch);
  }

  /**
   * Starts PostgreSQL below a data directory, making its files on first start.
   *
   * @param data Postern's data directory
   * @param wantedPort 0 to take a free one at first start and keep it
   * @throws DatabaseException when it cannot run; the message says what to do
   */
  public static BundledPostgres start(Path data, int wantedPort) throws DatabaseException {
    Path base = data.resolve("postgresql");
    try {
      Files.createDirectories(base);
      String shared = System.getProperty("postern.postgres.binaries", "");
      Path home = PostgresBinaries.unpack(shared.isEmpty() ? base : Path.of(shared));
      List<String> prefix = prefix();
      String password = password(base.resolve("password"));
      checkVersion(base.resolve("data"));
      if (!Files.exists(base.resolve("data/PG_VERSION"))) {
        initialise(home, base, prefix);
      }
      int port = port(base, wantedPort);
      return new BundledPostgres(home, base, port, password, prefix);
    } catch (IOException e) {
      throw new DatabaseException(
          "cannot prepare the bundled PostgreSQL in %s: %s".formatted(base, e), e);
    }
  }

  /** Whether there is a bundled database below a data directory, running or not. */
  public static boolean isThere(Path data) {
    return Files.isDirectory(data.resolve("postgresql/data"));
  }

  /**
   * Where a bundled PostgreSQL answers that another process runs below this data directory.
   *
   * @return empty when none does
   */
  public static Optional<Access> running(Path data) throws DatabaseException {
    Path base = data.resolve("postgresql");
    try {
      if (!Files.exists(base.resolve("data/postmaster.pid"))) {
        return Optional.empty();
      }
      Access access =
          access(
              Integer.parseInt(Files.readString(base.resolve("port")).strip()),
              Files.readString(base.resolve("password")).strip());
      return probe(access).isEmpty() ? Optional.of(access) : Optional.empty();
    } catch (IOException | NumberFormatException e) {
      throw new DatabaseException("cannot read the files of PostgreSQL in " + base + ": " + e, e);
    }
  }

  /** How to connect. */
  public record Access(String url, String user, String password) {}

  public Access access() {
    return access(port, password);
  }

  /** How often it died and was started again. */
  public int restarts() {
    return restarts.get();
  }

  /** The server's process. */
  public long pid() {
    return server.pid();
  }

  /** Stops watching and leaves the server running, as a Postern that is killed does. */
  void retire() {
    closed = true;
    LockSupport.unpark(watcher);
  }

  /** Stops the server; transactions under way are rolled back. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(watcher);
    try {
      // It may be starting a server at this moment, which then is the one to stop.
      watcher.join(STOP_LIMIT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!server.isAlive()) {
      return;
    }
    try {
      stop();
    } catch (DatabaseException e) {
      LOG.warn("PostgreSQL did not stop as asked: {}", e.getMessage());
      server.destroy();
    }
  }

  private static Access access(int port, String password) {
    return new Access("jdbc:postgresql://127.0.0.1:" + port + "/postgres", USER, password);
  }

  private static List<String> prefix() throws DatabaseException {
    if (!"root".equals(System.getProperty("user.name"))) {
      return List.of();
    }
    List<String> unshare = List.of("unshare", "-U");
    try {
      run(concat(unshare, List.of("true")), Duration.ofSeconds(10));
    } catch (DatabaseException e) {
      throw new DatabaseException(
          "PostgreSQL does not run as root, and user namespaces are not allowed here: run Postern"
              + " as another user, or set database.url to a PostgreSQL of your own",
          e);
    }
    return unshare;
  }

  private static String password(Path file) throws IOException {
    String kept = text(file);
    if (!kept.isEmpty()) {
      return kept;
    }
    String password = HexFormat.of().formatHex(Aead.random(24));
    Path part = file.resolveSibling("password.part");
    Files.deleteIfExists(part);
    Files.createFile(
        part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(part, password + "\n", StandardCharsets.US_ASCII);
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    return password;
  }

  // Empty when there is no such file, or a crash left it empty.
  private static String text(Path file) throws IOException {
    try {
      return Files.readString(file).strip();
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static int port(Path base, int wanted) throws IOException, DatabaseException {
    Path file = base.resolve("port");
    Path data = base.resolve("data");
    boolean runs = leftBehind(data).isPresent();
    if (wanted != 0) {
      if (!(runs && portOf(data) == wanted) && !awaitFree(wanted)) {
        throw new DatabaseException(
            "port %d of 127.0.0.1 is taken by another program: set database.port to a free one, or to 0 to have one found"
                .formatted(wanted));
      }
      Files.writeString(file, wanted + "\n");
      return wanted;
    }
    int kept = number(text(file));
    if (kept != 0 && ((runs && portOf(data) == kept) || awaitFree(kept))) {
      return kept;
    }
    int found = find();
    Files.writeString(file, found + "\n");
    return found;
  }

  private static int find() throws IOException {
    for (int i = 0; i < PORT_TRIES; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, END_PORT);
      if (free(port)) {
        return port;
      }
    }
    throw new IOException("no port of 127.0.0.1 is free");
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  // A server that was killed a moment ago may still hold it.
  private static boolean awaitFree(int port) {
    long deadline = System.nanoTime() + PORT_LIMIT.toNanos();
    while (!free(port)) {
      if (System.nanoTime() - deadline > 0) {
        return false;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
    }
    return true;
  }

  private static boolean free(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  private static void checkVersion(Path directory) throws IOException, DatabaseException {
    Path file = directory.resolve("PG_VERSION");
    if (Files.exists(file)) {
      String found = Files.readString(file).strip();
      if (!found.equals(PostgresBinaries.MAJOR)) {
        throw new DatabaseException(
            "%s was made by PostgreSQL %s, this Postern bundles %s: start it with the Postern that made it and export, or set database.url"
                .formatted(directory, found, PostgresBinaries.MAJOR));
      }
    }
  }

  // Beside its place and then moved there: what a crash left half made is never taken for whole.
  private static void initialise(Path home, Path base, List<String> prefix)
      throws DatabaseException, IOException {
    Path fresh = base.resolve("data.part");
    if (Files.exists(fresh)) {
      PostgresBinaries.deleteTree(fresh);
    }
    LOG.info("making a PostgreSQL database in {}", base.resolve("data"));
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            home.resolve("bin/initdb").toString(),
            "-D",
            fresh.toString(),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "--pwfile",
            base.resolve("password").toString(),
            "-E",
            "UTF8",
            "--locale=C"));
    run(command, START_LIMIT);
    Files.move(fresh, base.resolve("data"), StandardCopyOption.ATOMIC_MOVE);
  }

  private void stop() throws DatabaseException {
    run(
        command("pg_ctl", "-D", directory.toString(), "-m", "fast", "-w", "-t", "30", "stop"),
        STOP_LIMIT.plusSeconds(5));
  }

  private List<String> command(String program, String... arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(home.resolve("bin").resolve(program).toString());
    command.addAll(List.of(arguments));
    return command;
  }

  private ProcessHandle launch() throws DatabaseException {
    List<String> settings =
        List.of(
            "port=" + port,
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=60",
            "shared_buffers=128MB",
            "max_wal_size=1GB",
            "checkpoint_timeout=15min",
            "wal_compression=off",
            "jit=off",
            "autovacuum_naptime=15s",
            "log_min_messages=warning",
            // Details of a failure quote what is in the rows.
            "log_error_verbosity=terse",
            "log_min_error_statement=panic",
            // The two big tables take one insert and one update a row: keep pages that are half
            // full of dead rows from piling up.
            "autovacuum_vacuum_scale_factor=0.1");
    List<String> command = new ArrayList<>();
    // In a session of its own: Ctrl-C at the terminal is for Postern, which then stops PostgreSQL
    // when everything is written.
    if (Files.isExecutable(SETSID)) {
      command.add(SETSID.toString());
    }
    command.addAll(command("postgres", "-D", directory.toString()));
    for (String setting : settings) {
      command.add("-c");
      command.add(setting);
    }
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
          .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
          .start()
          .toHandle();
    } catch (IOException e) {
      throw new DatabaseException("cannot run " + command.getFirst() + ": " + e.getMessage(), e);
    }
  }

  /**
   * A server that outlived its Postern: the process that {@code postmaster.pid} names, if it works
   * in this data directory. After a restart of the machine or container another program may have
   * that number.
   */
  static Optional<ProcessHandle> leftBehind(Path directory) throws IOException {
    long pid = number(line(directory, 0));
    if (pid <= 0) {
      return Optional.empty();
    }
    return ProcessHandle.of(pid)
        .filter(ProcessHandle::isAlive)
        .filter(process -> worksIn(process, directory));
  }

  private static int portOf(Path directory) throws IOException {
    return number(line(directory, 3));
  }

  private static String line(Path directory, int number) throws IOException {
    try {
      List<String> lines = Files.readAllLines(directory.resolve("postmaster.pid"));
      return lines.size() > number ? lines.get(number).strip() : "";
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  // PostgreSQL's processes have the data directory as their working directory.
  private static boolean worksIn(ProcessHandle process, Path directory) {
    try {
      Path working = Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/cwd"));
      return working.equals(directory.toRealPath());
    } catch (IOException e) {
      // Gone, or another user's.
      return false;
    }
  }

  // PostgreSQL does not start while postmaster.pid names a process that lives, whatever it is. The
  // file may go only when no process of that server is left: they would write to the same files.
  private static void removeStaleLock(Path directory) throws DatabaseException {
    try {
      Path file = directory.resolve("postmaster.pid");
      if (Files.exists(file)
          && ProcessHandle.allProcesses().noneMatch(process -> worksIn(process, directory))) {
        LOG.info("removing {} of a server that is gone", file);
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new DatabaseException("cannot remove the lock file in " + directory + ": " + e, e);
    }
  }

  private void awaitReady() throws DatabaseException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    String last = "";
    int launches = 0;
    while (System.nanoTime() < deadline && launches < MAX_LAUNCHES) {
      Optional<String> failure = probe(access());
      if (failure.isEmpty()) {
        return;
      }
      if (closed) {
        throw new DatabaseException("closed while PostgreSQL was starting");
      }
      last = failure.get();
      if (!server.isAlive()) {
        // After a kill the old server's children may hold its shared memory for a moment.
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
        server = launch();
        launches++;
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
    throw new DatabaseException(
        "the bundled PostgreSQL does not run on port %d (%s); the end of its log %s is: %s"
            .formatted(port, last.lines().findFirst().orElse(""), log, endOfLog()));
  }

  private String endOfLog() {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join(" / ", lines.subList(Math.max(0, lines.size() - 2), lines.size()));
    } catch (IOException e) {
      return "(cannot be read: " + e + ")";
    }
  }

  private static Optional<String> probe(Access access) {
    Properties properties = new Properties();
    properties.setProperty("user", access.user());
    properties.setProperty("password", access.password());
    properties.setProperty("connectTimeout", "5");
    properties.setProperty("loginTimeout", "5");
    try (Connection connection = DriverManager.getConnection(access.url(), properties)) {
      return connection.isValid(5) ? Optional.empty() : Optional.of("no valid connection");
    } catch (SQLException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private void watch() {
    while (!closed) {
      try {
        if (!server.isAlive()) {
          // Only one that failed to start comes here; it is not to be tried without end at once.
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
        }
        server.onExit().get(1, TimeUnit.SECONDS);
        if (closed) {
          return;
        }
        restarts.incrementAndGet();
        LOG.error("PostgreSQL (process {}) died; starting it again", server.pid());
        server = launch();
        awaitReady();
        LOG.info("PostgreSQL runs again as process {}", server.pid());
      } catch (java.util.concurrent.TimeoutException e) {
        // It lives: look again.
      } catch (Exception e) {
        LOG.error("cannot start PostgreSQL again; trying on", e);
        LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
      }
    }
  }

  private static void run(List<String> command, Duration limit) throws DatabaseException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
      String output;
      try (var in = process.getInputStream()) {
        output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new DatabaseException(command + " did not end within " + limit);
      }
      if (process.exitValue() != 0) {
        throw new DatabaseException(
            "%s ended with %d: %s"
                .formatted(String.join(" ", command), process.exitValue(), output.strip()));
      }
    } catch (IOException e) {
      throw new DatabaseException("cannot run " + command.getFirst() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseException("interrupted while running " + command.getFirst(), e);
    }
  }

  private static List<String> concat(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
