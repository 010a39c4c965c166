package net.postern.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** The places that a master key comes from besides a file, and what is said when one does not. */
class MasterKeyTest {
  private static final String HEX = "5e".repeat(31) + "0f";
  private static final MasterKey KEY = MasterKey.of(HexFormat.of().parseHex(HEX));

  @TempDir Path temp;

  @Test
  void anEnvironmentVariableHoldsIt() throws IOException {
    assertEquals(KEY, MasterKey.read("MASTER", Map.of("MASTER", HEX + "\n")));
    complains(() -> MasterKey.read("MASTER", Map.of()), "variable MASTER", "is not set");
    complains(() -> MasterKey.read("MASTER", Map.of("MASTER", " ")), "is not set");
    complains(
        () -> MasterKey.read("MASTER", Map.of("MASTER", HEX.substring(1))), "64 hexadecimal", "63");
  }

  @Test
  void aProgramPrintsIt() throws IOException {
    assertEquals(KEY, MasterKey.read(script("echo " + HEX)));
    Path argument = Files.writeString(temp.resolve("a;b"), HEX);
    KeyCommand cat = new KeyCommand(List.of("/bin/cat", argument.toString()));
    assertEquals(KEY, MasterKey.read(cat), "no shell cuts the argument");
    // More than a pipe holds, on both: it must not wait for someone to read.
    assertEquals(
        KEY, MasterKey.read(script("head -c 300000 /dev/zero >&2; echo " + HEX)), "chatty");
    complains(
        () -> MasterKey.read(script("head -c 300000 /dev/zero")), "64 hexadecimal digits", "print");
  }

  @Test
  void aProgramThatFailsIsQuotedButForKeys() {
    complains(
        () -> MasterKey.read(script("echo no such grant >&2; echo " + HEX + " >&2; exit 3")),
        "exit code 3",
        "no such grant ...");
    complains(
        () -> MasterKey.read(new KeyCommand(List.of(temp.resolve("none").toString()))),
        "cannot be run",
        "whole path");
    complains(() -> MasterKey.read(script("echo " + HEX + "0")), "64 hexadecimal digits", "65");
  }

  @Test
  void aProgramThatHangsIsEnded() throws IOException {
    Path pid = temp.resolve("pid");
    KeyCommand hanging =
        new KeyCommand(
            List.of("/bin/sh", "-c", "echo $$ > " + pid + "; echo patience >&2; exec sleep 600"),
            Duration.ofSeconds(5));
    complains(() -> MasterKey.read(hanging), "did not end within 5 s", "patience");
    long id = Long.parseLong(Files.readString(pid).strip());
    Await.until(() -> ProcessHandle.of(id).filter(ProcessHandle::isAlive).isEmpty());
  }

  @Test
  void whatAProgramLeavesRunningIsNotWaitedFor() throws IOException {
    Path pid = temp.resolve("pid");
    // It holds the program's output open.
    KeyCommand leaving =
        new KeyCommand(
            List.of("/bin/sh", "-c", "sleep 600 & echo $! > " + pid + "; echo " + HEX),
            Duration.ofSeconds(20));
    MasterKey read = MasterKey.read(leaving);
    ProcessHandle left =
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElseThrow();
    assertTrue(left.destroyForcibly(), "it ran no more");
    assertEquals(KEY, read);
  }

  private static KeyCommand script(String text) {
    return new KeyCommand(List.of("/bin/sh", "-c", text));
  }

  private static void complains(Executable read, String... parts) {
    IOException failure = assertThrows(IOException.class, read);
    StringBuilder all = new StringBuilder();
    for (Throwable each = failure; each != null; each = each.getCause()) {
      all.append(each).append('\n');
    }
    for (String part : parts) {
      assertTrue(all.indexOf(part) >= 0, () -> part + " is not in: " + all);
    }
    assertFalse(all.toString().contains(HEX.substring(2, 40)), "the key is in: " + all);
  }
}
