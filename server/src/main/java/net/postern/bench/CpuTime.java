package net.postern.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Processor time, as Linux counts it ({@code proc(5)}). */
final class CpuTime {
  /** USER_HZ is 100 on every machine that Java runs on. */
  private static final long TICK_NANOS = 10_000_000;

  // Fields of /proc/PID/stat behind the name, which may have spaces: state is the first.
  private static final int FIRST_TIME = 11;
  private static final int TIMES = 4;

  private CpuTime() {}

  /** Of a process and all that it started, and of those of them that have ended. */
  static Duration ofTree(long pid) {
    long ticks = ticks(pid);
    ticks +=
        ProcessHandle.of(pid).stream()
            .flatMap(ProcessHandle::descendants)
            .mapToLong(each -> ticks(each.pid()))
            .sum();
    return Duration.ofNanos(ticks * TICK_NANOS);
  }

  private static long ticks(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.US_ASCII);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      long ticks = 0;
      for (int i = FIRST_TIME; i < FIRST_TIME + TIMES; i++) {
        ticks += Long.parseLong(fields[i]);
      }
      return ticks;
    } catch (IOException e) {
      return 0; // Ended meanwhile: its parent has the time.
    }
  }
}
