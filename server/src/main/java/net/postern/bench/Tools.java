package net.postern.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Finds programs of this machine. */
final class Tools {
  private Tools() {}

  /** The path of a program of Postfix, also where PATH of a user does not reach. */
  static String find(String program) throws BenchException {
    return find(program, "postfix");
  }

  /**
   * The path of a program, also where PATH of a user does not reach.
   *
   * @param debianPackage that has it
   */
  static String find(String program, String debianPackage) throws BenchException {
    if (!has(program)) {
      throw new BenchException(
          "%s is not installed; on Debian: apt install %s (./postern test does it)"
              .formatted(program, debianPackage));
    }
    return candidates(program).stream()
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow()
        .toString();
  }

  static boolean has(String program) {
    return candidates(program).stream().anyMatch(Files::isExecutable);
  }

  static boolean isRoot() {
    return "root".equals(System.getProperty("user.name"));
  }

  private static List<Path> candidates(String program) {
    List<Path> paths = new ArrayList<>();
    String path = System.getenv().getOrDefault("PATH", "");
    for (String directory : path.split(":")) {
      if (!directory.isEmpty()) {
        paths.add(Path.of(directory, program));
      }
    }
    Arrays.asList("/usr/sbin", "/usr/lib/postfix/sbin")
        .forEach(directory -> paths.add(Path.of(directory, program)));
    return paths;
  }
}
