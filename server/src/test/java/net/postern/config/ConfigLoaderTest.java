package net.postern.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import net.postern.config.ObserveConfig.LogFormat;
import org.junit.jupiter.api.Test;

class ConfigLoaderTest {
  private static final String LEAST =
      """
      [node]
      hostname = "mx1.example.com"
      data = "data"
      """;

  @Test
  void defaultsFillWhatTheFileLeavesOut() {
    PosternConfig config = ConfigLoader.fromText(LEAST, Path.of("/etc/postern"));

    assertEquals("mx1.example.com", config.node().hostname());
    assertEquals(Path.of("/etc/postern/data"), config.node().data());
    assertEquals(List.of(new HostPort("0.0.0.0", 25)), config.edge().listen());
    assertEquals(new ByteSize(50L << 20), config.edge().maxMessage());
    assertEquals(List.of(), config.edge().unlimitedSources());
    assertEquals(Optional.empty(), config.edge().certificate());
    assertTrue(config.edge().starttls());
    assertEquals(Duration.ofDays(5), config.delivery().giveUp());
    assertEquals(List.of(), config.vault().stores());
    assertEquals(Optional.of(new HostPort("127.0.0.1", 8025)), config.observe().listen());
    assertEquals(LogFormat.TEXT, config.observe().logFormat());
  }

  @Test
  void everyKindIsRead() {
    PosternConfig config =
        ConfigLoader.fromText(
            LEAST
                + """
                drain = "500ms"
                [edge]
                listen = ["127.0.0.1:0", "[::1]:2525"]
                max_message = 1048576
                max_recipients = 200
                unlimited_sources = ["192.0.2.0/24", "2001:db8::1"]
                starttls = false
                [database]
                url = "jdbc:postgresql://db/postern"
                [vault]
                stores = ["/a", "b", "../c"]
                [delivery]
                smarthost = "relay.example.com:587"
                [observe]
                listen = ""
                log_format = "json"
                """,
            Path.of("/etc/postern"));

    assertEquals(Duration.ofMillis(500), config.node().drain());
    assertEquals(
        List.of(new HostPort("127.0.0.1", 0), new HostPort("::1", 2525)), config.edge().listen());
    assertEquals(new ByteSize(1 << 20), config.edge().maxMessage());
    assertEquals(200, config.edge().maxRecipients());
    assertEquals(2, config.edge().unlimitedSources().size());
    assertFalse(config.edge().starttls());
    assertEquals(Optional.of("jdbc:postgresql://db/postern"), config.database().url());
    assertEquals(
        List.of(Path.of("/a"), Path.of("/etc/postern/b"), Path.of("/etc/c")),
        config.vault().stores());
    assertEquals(
        Optional.of(new HostPort("relay.example.com", 587)), config.delivery().smarthost());
    assertEquals(Optional.empty(), config.observe().listen());
    assertEquals(LogFormat.JSON, config.observe().logFormat());
  }

  @Test
  void durationsComeBackAsTheyWereWritten() {
    for (String text : List.of("500ms", "10s", "5m", "2h", "5d", "90s", "0s")) {
      assertEquals(text, Durations.parse(text).map(Durations::format).orElse("none"));
    }
    for (String text : List.of("", "10", "s", "-1s", "1.5h", "1w", "9999999999999s", "5 min")) {
      assertEquals(Optional.empty(), Durations.parse(text), text);
    }
  }

  @Test
  void suggestionsAreNearOrSilent() {
    List<String> known = List.of("max_message", "max_messages", "listen");
    assertEquals(Optional.of("max_message"), Suggestion.nearest("max_mesage", known));
    assertEquals(Optional.of("max_message"), Suggestion.nearest("maxMessage", known));
    assertEquals(Optional.of("listen"), Suggestion.nearest("lisetn", known));
    assertEquals(Optional.empty(), Suggestion.nearest("colour", known));
    assertEquals(Optional.empty(), Suggestion.nearest("x".repeat(10_000), known));
  }

  @Test
  void aFilesTextCannotSteerATerminal() {
    try {
      ConfigLoader.fromText(LEAST + "\"\\u001b[2J\" = 1\n", Path.of("/"));
      throw new AssertionError("accepted");
    } catch (ConfigException e) {
      assertTrue(String.valueOf(e.getMessage()).contains("node.?[2J"), e.getMessage());
    }
  }
}
