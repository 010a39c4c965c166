package net.postern.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

/** Asks the node's pages as a supervisor and Prometheus do. */
final class Pages {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private Pages() {}

  /** Health, readiness, metrics. */
  static List<Check> check(int port) throws InterruptedException {
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(LIMIT).build()) {
      return List.of(
          page(client, port, "/health", "up"),
          page(client, port, "/ready", "\"ready\": true"),
          page(client, port, "/metrics", "postern_accepted_total"));
    }
  }

  private static Check page(HttpClient client, int port, String path, String needed)
      throws InterruptedException {
    URI address = URI.create("http://127.0.0.1:" + port + path);
    try {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(address).timeout(LIMIT).build(),
              HttpResponse.BodyHandlers.ofString());
      boolean ok = answer.statusCode() == 200 && answer.body().contains(needed);
      return new Check(
          "page " + path,
          ok,
          "%s answers %d%s"
              .formatted(
                  address,
                  answer.statusCode(),
                  ok ? "" : " without " + needed + ": " + answer.body().lines().findFirst()));
    } catch (IOException e) {
      return new Check("page " + path, false, address + " does not answer: " + e);
    }
  }
}
