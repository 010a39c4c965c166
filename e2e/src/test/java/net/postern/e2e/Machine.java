package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;

/** What scenarios need of the machine besides a JDK. */
final class Machine {
  private Machine() {}

  /** Skips the test for want of something; fails it where CI promises to have everything. */
  static void needs(boolean there, String what) {
    if (!there && "true".equals(System.getenv("CI"))) {
      Assertions.fail("not tested here: " + what);
    }
    assumeTrue(there, "not tested here: " + what);
  }

  /** Skips the test when it is not run by root. */
  static void needsRoot(String why) {
    needs("root".equals(System.getProperty("user.name")), "this " + why + ", so it needs root");
  }

  /** Path of a program; skips the test when there is none. */
  static String program(String name, String debianPackage) {
    for (String place : List.of("/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/")) {
      if (Files.isExecutable(Path.of(place + name))) {
        return place + name;
      }
    }
    needs(false, name + " is not here (Debian package " + debianPackage + ")");
    throw new IllegalStateException();
  }

  /** Runs a command that has to succeed; returns what it printed. */
  static String run(String... command) throws IOException, InterruptedException {
    NodeProcess.Outcome outcome = NodeProcess.run(Map.of(), List.of(command));
    assertEquals(0, outcome.code(), () -> String.join(" ", command) + ": " + outcome.out());
    return outcome.out();
  }
}
