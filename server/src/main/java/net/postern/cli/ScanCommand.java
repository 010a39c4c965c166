package net.postern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.postern.filter.Finding;
import net.postern.filter.Judgement;
import net.postern.filter.MailView;
import net.postern.filter.Pipeline;
import net.postern.filter.Rule;
import net.postern.filter.Sample;
import net.postern.filter.Thresholds;
import net.postern.filter.Verdict;
import net.postern.mime.HeaderField;
import net.postern.mime.Headers;
import net.postern.mime.MailDate;
import net.postern.mime.Part;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code postern scan}: judges messages without a server.
 *
 * <p>Several files are judged at a time, as many as there are processors; the output is in the
 * order of the arguments, directories in sorted order. Exit code 0, or 2 when a file could not be
 * read.
 */
@Command(
    name = "scan",
    mixinStandardHelpOptions = true,
    description = "Judges messages: what was found in each, what it weighs, and the verdict.")
public final class ScanCommand implements Callable<Integer> {
  /** Largest message read, in bytes; larger ones are reported as not readable. */
  static final int MAX_MESSAGE = 256 * 1024 * 1024;

  /** Files at least this large are judged alone, so that memory stays bounded. */
  private static final int LARGE = 8 * 1024 * 1024;

  private static final JsonMapper JSON = new JsonMapper();

  @Option(names = "--json", description = "One JSON object for each message, on one line.")
  private boolean json;

  @Parameters(
      arity = "1..*",
      paramLabel = "FILE|DIR|-",
      description = "Message files, directories (read recursively), or - for standard input.")
  private List<String> targets = List.of();

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Pipeline pipeline = Pipeline.standard();
  private final Map<String, String> descriptions = new HashMap<>();
  private boolean failed;

  public ScanCommand() {
    for (Rule rule : pipeline.rules()) {
      descriptions.put(rule.name(), rule.description());
    }
  }

  @Override
  public Integer call() throws InterruptedException {
    int workers = Runtime.getRuntime().availableProcessors();
    try (ExecutorService executor = Executors.newFixedThreadPool(workers)) {
      Printer printer = new Printer(executor, workers * 8);
      for (String target : targets) {
        if (target.equals("-")) {
          printer.submit("-", 0, () -> readStandardInput());
        } else {
          walk(Path.of(target), printer);
        }
      }
      printer.finish();
    }
    spec.commandLine().getOut().flush();
    return failed ? 2 : 0;
  }

  /** Goes through directories in sorted order without recursion and without holding them open. */
  private void walk(Path start, Printer printer) throws InterruptedException {
    ArrayDeque<Path> todo = new ArrayDeque<>();
    todo.push(start);
    while (!todo.isEmpty()) {
      Path path = todo.pop();
      boolean given = path.equals(start);
      if (given ? Files.isDirectory(path) : Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        List<Path> inside = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
          entries.forEach(inside::add);
        } catch (IOException | DirectoryIteratorException e) {
          printer.fail(path.toString(), e);
          continue;
        }
        inside.sort(null);
        for (Path entry : inside.reversed()) {
          todo.push(entry);
        }
      } else if (given || Files.isRegularFile(path)) {
        printer.submit(path.toString(), sizeOf(path), () -> readFile(path));
      }
    }
  }

  private static long sizeOf(Path path) {
    try {
      return Files.size(path);
    } catch (IOException e) {
      return 0; // reading it will say what is wrong
    }
  }

  private static byte[] readFile(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return readBounded(in);
    }
  }

  private static byte[] readStandardInput() throws IOException {
    return readBounded(System.in);
  }

  private static byte[] readBounded(InputStream in) throws IOException {
    byte[] content = in.readNBytes(MAX_MESSAGE + 1);
    if (content.length > MAX_MESSAGE) {
      throw new IOException("larger than " + MAX_MESSAGE + " bytes");
    }
    return content;
  }

  /** Reads the content of one target. */
  @FunctionalInterface
  private interface Source {
    byte[] read() throws IOException;
  }

  /** Judges in parallel and prints in order; holds no more than a window of results. */
  private final class Printer {
    private final ExecutorService executor;
    private final int window;
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();

    private record Pending(String file, Future<String> text) {}

    private Printer(ExecutorService executor, int window) {
      this.executor = executor;
      this.window = window;
    }

    private void submit(String file, long size, Source source) throws InterruptedException {
      if (size >= LARGE) {
        finish();
      }
      pending.add(new Pending(file, executor.submit(() -> scan(file, source.read()))));
      while (pending.size() >= (size >= LARGE ? 1 : window)) {
        printOne();
      }
    }

    private void finish() throws InterruptedException {
      while (!pending.isEmpty()) {
        printOne();
      }
    }

    private void printOne() throws InterruptedException {
      Pending next = pending.remove();
      try {
        PrintWriter out = spec.commandLine().getOut();
        out.print(next.text.get());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof IOException cause) {
          fail(next.file, cause);
        } else {
          throw new IllegalStateException("cannot judge " + next.file, e.getCause());
        }
      }
    }

    private void fail(String file, Exception e) {
      failed = true;
      String why =
          e instanceof NoSuchFileException
              ? "no such file"
              : e instanceof AccessDeniedException
                  ? "permission denied"
                  : String.valueOf(e.getMessage());
      warn("cannot read " + file + ": " + why);
    }
  }

  private void warn(String what) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("postern scan: " + what);
    err.flush();
  }

  private String scan(String file, byte[] content) {
    long start = System.nanoTime();
    Sample sample =
        new Sample(Optional.empty(), "", Optional.empty(), List.of(), content, Instant.now());
    MailView mail = MailView.of(sample);
    Instant arrived = arrival(mail.headers(), sample.now());
    if (!arrived.equals(sample.now())) {
      mail = mail.at(arrived);
    }
    Judgement judgement = pipeline.judge(mail);
    Verdict verdict = Thresholds.DEFAULT.verdict(judgement.score());
    if (!json) {
      return text(file, judgement, verdict);
    }
    for (Judgement.Unavailable away : judgement.unavailable()) {
      warn(file + ": " + away.stage() + " could not be asked: " + away.why());
    }
    return json(file, mail, judgement, verdict, start) + "\n";
  }

  /**
   * When the message came: the topmost Received field's date (RFC 5321 §4.4), so that mail kept for
   * years is judged as on the day it came; else now.
   */
  static Instant arrival(Headers headers, Instant now) {
    Optional<HeaderField> received = headers.first("Received");
    if (received.isEmpty()) {
      return now;
    }
    String text = received.get().text();
    Optional<Instant> date = MailDate.parse(text.substring(text.lastIndexOf(';') + 1));
    return date.isPresent() && date.get().isBefore(now) ? date.get() : now;
  }

  private String text(String file, Judgement judgement, Verdict verdict) {
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%s: %s, score %.1f (spam probability %.2f)%n",
            file,
            verdict,
            judgement.score(),
            judgement.probability()));
    for (Finding finding : judgement.findings()) {
      out.append(
          String.format(
              Locale.ROOT,
              "  %7.1f  %-26s %s%s%n",
              finding.score(),
              finding.name(),
              descriptions.getOrDefault(finding.name(), ""),
              finding.detail().isEmpty() ? "" : ": " + finding.detail()));
    }
    for (Judgement.Unavailable away : judgement.unavailable()) {
      out.append(String.format("        -  %s could not be asked: %s%n", away.stage(), away.why()));
    }
    return out.toString();
  }

  private static String json(
      String file, MailView mail, Judgement judgement, Verdict verdict, long start) {
    List<Map<String, Object>> findings = new ArrayList<>();
    for (Finding finding : judgement.findings()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("name", finding.name());
      one.put("score", finding.score());
      one.put("detail", finding.detail());
      findings.add(one);
    }
    List<Map<String, Object>> parts = new ArrayList<>();
    for (Part part : mail.leaves()) {
      Part.Digest digest = part.digest();
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("path", part.path());
      one.put("type", part.type());
      one.put("name", part.fileName());
      one.put("bytes", digest.bytes());
      one.put("sha256", digest.sha256());
      parts.add(one);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("file", file);
    all.put("verdict", verdict.name());
    all.put("score", judgement.score());
    all.put("probability", judgement.probability());
    all.put("findings", findings);
    all.put("parts", parts);
    all.put("millis", Math.round((System.nanoTime() - start) / 10_000.0) / 100.0);
    return JSON.writeValueAsString(all);
  }
}
