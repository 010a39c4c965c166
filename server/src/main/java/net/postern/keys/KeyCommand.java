package net.postern.keys;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A program that prints a key to its standard output, as one that asks a key management service. It
 * is run without a shell, with nothing to read, and for a bounded time; what it prints is in no
 * message, what it complains about (standard error) is, but for anything that looks like a key.
 */
public final class KeyCommand {
  /** Longest time that the program gets. */
  public static final Duration LIMIT = Duration.ofSeconds(30);

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
    FutureTask<byte[]> out = reader(process.getInputStream());
    FutureTask<byte[]> complaint = reader(process.getErrorStream());
    long end = System.nanoTime() + limit.toNanos();
    try {
      if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
        throw failure("did not end within " + limit.toSeconds() + " s", complaint);
      }
      if (process.exitValue() != 0) {
        throw failure("ended with exit code " + process.exitValue(), complaint);
      }
      byte[] printed = out.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      return new String(printed, StandardCharsets.US_ASCII).strip();
    } catch (TimeoutException e) {
      throw failure("left something running that holds its output open", complaint);
    } catch (ExecutionException e) {
      throw failure("could not be read", complaint);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the master key was asked for", e);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  // Read to the end, so that a program that prints much does not wait; little of it is kept.
  private static FutureTask<byte[]> reader(InputStream in) {
    FutureTask<byte[]> task =
        new FutureTask<>(
            () -> {
              try (in) {
                byte[] kept = in.readNBytes(MAX_OUTPUT);
                in.transferTo(java.io.OutputStream.nullOutputStream());
                return kept;
              }
            });
    Thread _ = Thread.ofPlatform().name("key-command").daemon().start(task);
    return task;
  }

  private IOException failure(String what, FutureTask<byte[]> complaint) {
    String said = "";
    try {
      said = new String(complaint.get(100, TimeUnit.MILLISECONDS), StandardCharsets.UTF_8);
    } catch (TimeoutException | ExecutionException e) {
      said = "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
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
