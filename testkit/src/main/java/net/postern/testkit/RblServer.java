package net.postern.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A real name server for block lists (Debian's rbldnsd) on loopback. */
public final class RblServer implements AutoCloseable {
  /** Where a list is, and which sort of data it has. */
  public enum Sort {
    /** Addresses and networks of IPv4. */
    IP4SET,
    /** Networks of IPv6, written in hexadecimal throughout. */
    IP6TRIE,
    /** Names; {@code .name} is everything below it as well. */
    DNSET
  }

  /**
   * A list.
   *
   * @param lines as rbldnsd reads them: {@code :127.0.0.2:text}, then one entry in each line
   */
  public record Zone(Sort sort, String... lines) {}

  private final Daemon daemon;
  private final InetSocketAddress address;
  private final Path directory;

  private RblServer(Daemon daemon, InetSocketAddress address, Path directory) {
    this.daemon = daemon;
    this.address = address;
    this.directory = directory;
  }

  /**
   * Starts one. Skips the test where rbldnsd is not installed; fails it under CI.
   *
   * @param zones by their names, such as {@code bl.example}
   */
  public static RblServer start(Map<String, Zone> zones) {
    String program = Daemon.program("rbldnsd", "rbldnsd");
    Path directory = Daemon.directory("rbldnsd");
    int port = Ports.free();
    InetSocketAddress address = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
    List<String> command =
        new ArrayList<>(
            List.of(
                program,
                "-n",
                "-u",
                System.getProperty("user.name").equals("root")
                    ? "nobody"
                    : System.getProperty("user.name"),
                "-b",
                "127.0.0.1/" + port,
                "-c",
                "1s",
                "-w",
                directory.toString()));
    zones.forEach(
        (name, zone) -> {
          write(directory, name, zone);
          command.add(
              name + ":" + zone.sort().name().toLowerCase(java.util.Locale.ROOT) + ":" + name);
        });
    try {
      // It gives up its rights, and still has to read these.
      Files.setPosixFilePermissions(
          directory, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
      String probe = "probe." + zones.keySet().iterator().next();
      Daemon daemon =
          Daemon.start(
              directory, () -> DnsProbe.answers(address, probe), command.toArray(String[]::new));
      return new RblServer(daemon, address, directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public InetSocketAddress address() {
    return address;
  }

  /** Puts other data in a list's place; the server looks for it every second. */
  public void replace(String name, Zone zone) {
    write(directory, name, zone);
  }

  public String log() {
    return daemon.log();
  }

  @Override
  public void close() {
    daemon.close();
  }

  private static void write(Path directory, String name, Zone zone) {
    try {
      Path file = directory.resolve(name);
      Path next = directory.resolve(name + ".next");
      Files.writeString(next, String.join("\n", zone.lines()) + "\n");
      Files.setPosixFilePermissions(
          next, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(next, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
