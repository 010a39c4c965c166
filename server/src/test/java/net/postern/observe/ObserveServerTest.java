package net.postern.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import net.postern.config.HostPort;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ObserveServerTest {
  private final AtomicReference<Health> database = new AtomicReference<>(Health.up("fine"));
  private final CountDownLatch never = new CountDownLatch(1);
  private final Map<String, Supplier<Health>> checks = checks();
  private final ObserveServer server =
      ObserveServer.start(new HostPort("127.0.0.1", 0), checks, () -> "postern_up 1.0\n");
  private final HttpClient client = HttpClient.newHttpClient();

  private Map<String, Supplier<Health>> checks() {
    Map<String, Supplier<Health>> named = new LinkedHashMap<>();
    named.put("database", database::get);
    named.put("stores", () -> Health.up("3 of 3"));
    return named;
  }

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  private HttpResponse<String> send(String method, String path)
      throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        BodyHandlers.ofString());
  }

  @Test
  void healthIsUpWhileTheProcessIs() throws IOException, InterruptedException {
    database.set(Health.down("away"));
    HttpResponse<String> answer = send("GET", "/health");
    assertEquals(200, answer.statusCode());
    assertEquals("up\n", answer.body());
  }

  @Test
  void readyNamesEveryCheckAndFailsWithOne() throws IOException, InterruptedException {
    HttpResponse<String> good = send("GET", "/ready");
    assertEquals(200, good.statusCode());
    JsonNode all = new JsonMapper().readTree(good.body());
    assertTrue(all.get("ready").asBoolean());
    assertEquals("3 of 3", all.get("checks").get("stores").get("detail").asString());

    database.set(Health.down("no \"connection\""));
    HttpResponse<String> bad = send("GET", "/ready");
    assertEquals(503, bad.statusCode());
    JsonNode failed = new JsonMapper().readTree(bad.body());
    assertEquals("no \"connection\"", failed.at("/checks/database/detail").asString());
    assertTrue(failed.at("/checks/stores/ok").asBoolean());
  }

  @Test
  void aCheckThatThrowsOrHangsHasFailed() throws IOException, InterruptedException {
    Map<String, Supplier<Health>> broken = new LinkedHashMap<>();
    broken.put(
        "throws",
        () -> {
          throw new IllegalStateException("broken");
        });
    broken.put("hangs", this::hang);
    try (ObserveServer other =
        ObserveServer.start(new HostPort("127.0.0.1", 0), broken, () -> "")) {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + other.port() + "/ready"))
                  .build(),
              BodyHandlers.ofString());
      assertEquals(503, answer.statusCode());
      JsonNode all = new JsonMapper().readTree(answer.body());
      assertTrue(all.at("/checks/throws/detail").asString().contains("broken"), answer.body());
      assertEquals("no answer in 3 s", all.at("/checks/hangs/detail").asString());
    }
  }

  private Health hang() {
    try {
      never.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Health.up("after all");
  }

  @Test
  void metricsAndOthers() throws IOException, InterruptedException {
    HttpResponse<String> metrics = send("GET", "/metrics");
    assertEquals("postern_up 1.0\n", metrics.body());
    assertEquals(
        "text/plain; version=0.0.4; charset=utf-8",
        metrics.headers().firstValue("Content-Type").orElse(""));
    assertEquals(404, send("GET", "/").statusCode());
    assertEquals(404, send("GET", "/healthy").statusCode());
    assertEquals(405, send("POST", "/health").statusCode());
    HttpResponse<String> head = send("HEAD", "/health");
    assertEquals(200, head.statusCode());
    assertEquals("", head.body());
  }

  @Test
  void aPortInUseIsSaidPlainly() {
    HostPort taken = new HostPort("127.0.0.1", server.port());
    UncheckedIOException failure =
        assertThrows(
            UncheckedIOException.class, () -> ObserveServer.start(taken, checks, () -> ""));
    String message = String.valueOf(failure.getMessage());
    assertTrue(message.startsWith("observe.listen: cannot listen on " + taken), message);
    assertTrue(message.contains("another program has that port"), message);

    HostPort unknown = new HostPort("no-such-host.invalid", 0);
    String other =
        String.valueOf(
            assertThrows(
                    UncheckedIOException.class,
                    () -> ObserveServer.start(unknown, checks, () -> ""))
                .getMessage());
    assertTrue(other.contains("no-such-host.invalid is not known here"), other);
  }
}
