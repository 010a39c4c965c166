package net.postern.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.postern.config.ObserveConfig.LogFormat;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LoggingTest {
  private final LoggerContext context = new LoggerContext();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private String text() {
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void textLinesSayWhenWhoAndWhat() {
    Logging.install(context, LogFormat.TEXT, Level.INFO, out);
    context.getLogger("net.postern.edge.Listener").info("listening on {}", 25);
    context.getLogger("net.postern.edge.Listener").debug("not this");
    context.getLogger("org.flywaydb.core").info("nor this");
    context.stop();
    assertTrue(
        text()
            .matches(
                "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO  Listener listening on 25\n"),
        text());
  }

  @Test
  void aRemotePeersTextCannotForgeALine() {
    Logging.install(context, LogFormat.TEXT, Level.INFO, out);
    Logger log = context.getLogger("net.postern.edge.Listener");
    log.warn(
        "peer said {}",
        "a\r\n2026-01-01T00:00:00.000Z INFO forged",
        new IOException("x\nINFO forged"));
    context.stop();
    List<String> lines = text().lines().toList();
    assertTrue(lines.getFirst().contains("peer said a\\u000d\\n2026"), text());
    for (String line : lines.subList(1, lines.size())) {
      assertTrue(line.startsWith("    | "), line);
    }
  }

  @Test
  void jsonLinesAreObjectsAndMailEventsHaveTheirFields() {
    Logging.install(context, LogFormat.JSON, Level.INFO, out);
    context.getLogger("net.postern.x").error("bad \"{}\"", "\n", new IllegalStateException("why"));
    context.getLogger(MailLog.LOGGER).info(new JsonFields().text("event", "held").line());
    context.stop();
    List<String> lines = text().lines().toList();
    assertEquals(2, lines.size(), text());
    JsonMapper mapper = new JsonMapper();
    JsonNode failure = mapper.readTree(lines.get(0));
    assertEquals("bad \"\n\"", failure.get("message").asString());
    assertEquals("ERROR", failure.get("level").asString());
    assertTrue(failure.get("failure").asString().contains("IllegalStateException: why"));
    assertEquals("held", mapper.readTree(lines.get(1)).get("event").asString());
  }

  @Test
  void noLineIsLostWhenManyThreadsWriteAndItStops()
      throws InterruptedException, ExecutionException {
    int threads = 8;
    int each = 2 * QueueAppender.QUEUE / threads;
    Logging.install(context, LogFormat.TEXT, Level.INFO, out);
    Logger log = context.getLogger("net.postern.x");
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < threads; i++) {
        running.add(
            executor.submit(
                () -> {
                  for (int j = 0; j < each; j++) {
                    log.info("line");
                  }
                }));
      }
      for (Future<?> one : running) {
        one.get();
      }
    }
    context.stop();
    assertEquals((long) threads * each, text().lines().count());
  }

  @Test
  void aStuckReaderStopsCallersOnlyOnceTheQueueIsFull() throws InterruptedException {
    CountDownLatch unstuck = new CountDownLatch(1);
    OutputStream stuck =
        new OutputStream() {
          @Override
          public void write(int b) {
            out.write(b);
          }

          @Override
          public void write(byte[] bytes, int from, int length) throws IOException {
            try {
              unstuck.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            out.write(bytes, from, length);
          }
        };
    Logging.install(context, LogFormat.TEXT, Level.INFO, stuck);
    Logger log = context.getLogger("net.postern.x");
    for (int i = 0; i < QueueAppender.QUEUE; i++) {
      log.info("line");
    }
    CountDownLatch done = new CountDownLatch(1);
    Thread.ofVirtual()
        .start(
            () -> {
              for (int i = 0; i < 2_000; i++) {
                log.info("line");
              }
              done.countDown();
            });
    assertFalse(done.await(50, java.util.concurrent.TimeUnit.MILLISECONDS), "no bound");
    unstuck.countDown();
    assertTrue(done.await(20, java.util.concurrent.TimeUnit.SECONDS));
    context.stop();
    assertEquals(QueueAppender.QUEUE + 2_000L, text().lines().count());
  }

  @Test
  void aBrokenReaderDoesNotStopMail() {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("broken pipe");
          }
        };
    Logging.install(context, LogFormat.TEXT, Level.INFO, broken);
    for (int i = 0; i < 2 * QueueAppender.QUEUE; i++) {
      context.getLogger("net.postern.x").info("line");
    }
    context.stop();
  }

  /** Also inside what others say: a remote server's reply, an exception's message. */
  @Test
  void addressesAreHiddenInEveryLine() {
    for (LogFormat format : LogFormat.values()) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      LoggerContext fresh = new LoggerContext();
      Logging.install(fresh, format, Level.INFO, bytes);
      fresh
          .getLogger("x")
          .warn("550 <ann@example.com> unknown", new IllegalStateException("ann@example.com"));
      fresh.stop();
      String text = bytes.toString(StandardCharsets.UTF_8);
      assertFalse(text.contains("ann@"), text);
      assertTrue(text.contains("unknown") && text.contains("@example.com"), text);
    }
  }
}
