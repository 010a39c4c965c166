package net.postern.keys;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A program that prints a key to its standard output, as one that asks a key management service. It
 * is run without a shell, with nothing to read, and for a bounded time; what it prints is in no
 * message, what it complains about (standard error) is, but for anything that looks like a key.
 */
public final class KeyCommand {
  /** Longest time that the program gets. */
  public static final Duration LIMIT = Duration.ofSeconds(30);

  /**
   * Longest wait for what a program that has ended printed last. Only one that leaves something
   * running with its output open takes it; any other's thread that reads has to come to run.
   */
  private static final Duration AFTER_END = Duration.ofSeconds(10);

  private static final int MAX_OUTPUT = 4_096;
  private static final int MAX_COMPLAINT = 500;

  private final List<String> words;
  private final Duration limit;

  /**
   * @param words the program and its arguments
   */
  public KeyCommand(List<String> words) {
    this(words, LIMIT);
  }

  KeyCommand(List<String> words, Duration limit) {
    this.words = List.copyOf(words);
    this.limit = limit;
  }

  String program() {
    return words.getFirst();
  }

  /** What it printed, without the blanks around. */
  String run() throws IOException {
    Process process;
    try {
      process =
          new ProcessBuilder(words)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
    } catch (IOException e) {
      throw new IOException(
          "the program for the master key, %s, cannot be run: %s; write its whole path"
              .formatted(program(), e.getMessage()),
          e);
    }
    Output out = new Output(process.getInputStream());
    Output complaint = new Output(process.getErrorStream());
    try {
      if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
        // Before its complaint is read: as long as it runs, that has no end.
        end(process.toHandle());
        throw failure("did not end within " + limit.toSeconds() + " s", complaint);
      }
      if (process.exitValue() != 0) {
        throw failure("ended with exit code " + process.exitValue(), complaint);
      }
      return new String(out.text(), StandardCharsets.US_ASCII).strip();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the master key was asked for", e);
    } finally {
      end(process.toHandle());
      process.destroyForcibly();
    }
  }

  // What it printed can still be read.
  private static void end(ProcessHandle process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /**
   * What a program prints, read to the end on a thread of its own so that one that prints much does
   * not wait; little of it is kept.
   */
  private static final class Output {
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private final Thread thread;

    Output(InputStream in) {
      thread = Thread.ofPlatform().name("key-command").daemon().start(() -> readAll(in));
    }

    private void readAll(InputStream in) {
      byte[] buffer = new byte[MAX_OUTPUT];
      try (in) {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          synchronized (kept) {
            kept.write(buffer, 0, Math.min(n, MAX_OUTPUT - kept.size()));
          }
        }
      } catch (IOException e) {
        // What was printed before counts.
      }
    }

    /** What was printed; for a program that has ended, but may have left something running. */
    byte[] text() throws InterruptedException {
      thread.join(AFTER_END);
      synchronized (kept) {
        return kept.toByteArray();
      }
    }
  }

  private IOException failure(String what, Output complaint) throws InterruptedException {
    String said = new String(complaint.text(), StandardCharsets.UTF_8);
    String shown =
        said.replaceAll("[0-9a-fA-F]{32,}", "...").replaceAll("\\p{Cntrl}+", " ").strip();
    if (shown.length() > MAX_COMPLAINT) {
      shown = shown.substring(0, MAX_COMPLAINT) + "...";
    }
    return new IOException(
        "the program for the master key, %s, %s%s"
            .formatted(program(), what, shown.isEmpty() ? "" : ": " + shown));
  }
}
