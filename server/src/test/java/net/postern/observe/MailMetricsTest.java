package net.postern.observe;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Peer;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MailMetricsTest {
  private static final Reference REFERENCE =
      Reference.of(MailEvent.Reason.UNKNOWN_USER, java.time.Instant.EPOCH);

  private static final Peer PEER = new Peer("192.0.2.7", "evil.example", "");
  private final MailMetrics metrics = new MailMetrics();

  @AfterEach
  void close() {
    metrics.close();
  }

  private void shows(String line) {
    String all = metrics.scrape();
    assertTrue(all.contains("\n" + line + "\n"), () -> line + " is not in\n" + all);
  }

  @Test
  void eventsAreCountedByWhatTheyAre() {
    metrics.emit(
        new MailEvent.Accepted(
            MessageId.create(),
            CustomerId.create(),
            PEER,
            "a@example.org",
            List.of("b@example.com"),
            8192,
            "FLAG",
            "FLAG",
            4.5,
            List.of("DATE_MISSING"),
            2,
            Duration.ofMillis(4)));
    metrics.emit(refused(MailEvent.Reason.UNKNOWN_USER, 550));
    metrics.emit(refused(MailEvent.Reason.UNKNOWN_USER, 550));
    metrics.emit(refused(MailEvent.Reason.OVERLOADED, 451));

    shows("postern_accepted_total{verdict=\"flag\"} 1.0");
    shows("postern_accepted_copies_total{copies=\"2\"} 1.0");
    shows("postern_accepted_bytes_total 8192.0");
    shows("postern_findings_total{finding=\"DATE_MISSING\"} 1.0");
    shows("postern_accept_seconds_bucket{le=\"0.005\"} 1");
    shows("postern_accept_seconds_bucket{le=\"0.002\"} 0");
    shows("postern_refused_total{reason=\"unknown_user\",reply=\"5xx\",stage=\"rcpt\"} 2.0");
    shows("postern_refused_total{reason=\"overloaded\",reply=\"4xx\",stage=\"rcpt\"} 1.0");
    shows("postern_delivered_total 0.0");
  }

  @Test
  void storesAreSeenGoingAndComing() {
    metrics.emit(new MailEvent.StoreHealth("one", false, "disk full"));
    metrics.emit(new MailEvent.StoreHealth("two", true, ""));
    shows("postern_store_up{store=\"one\"} 0.0");
    shows("postern_store_up{store=\"two\"} 1.0");
    metrics.emit(new MailEvent.StoreHealth("one", true, ""));
    shows("postern_store_up{store=\"one\"} 1.0");
  }

  @Test
  void labelsStayBoundedAndFreeOfWhatPeersChoose() {
    for (int i = 0; i < 10 * MailMetrics.MAX_VALUES; i++) {
      metrics.emit(
          new MailEvent.Removed(
              MessageId.create(), CustomerId.create(), "b@example.com", "rule-" + i));
      metrics.emit(refused(MailEvent.Reason.SYNTAX, 500));
    }
    String all = metrics.scrape();
    long series = all.lines().filter(line -> line.startsWith("postern_removed_total{")).count();
    assertTrue(series <= MailMetrics.MAX_VALUES + 1, () -> "series: " + series);
    assertTrue(all.contains("postern_removed_total{rule=\"other\"} "), all);
    assertFalse(all.contains("example.com"), "a recipient is a label");
    assertFalse(all.contains("evil.example"), "a client is a label");
  }

  @Test
  void gaugesAreAskedAtEachScrape() {
    int[] value = {7};
    metrics.gauge("postern.edge.connections", "Open connections", () -> value[0]);
    shows("postern_edge_connections 7.0");
    value[0] = 8;
    shows("postern_edge_connections 8.0");
  }

  @Test
  void fanoutFeedsTheOthersWhenOneBreaks() {
    Fanout fanout =
        new Fanout(
            List.of(
                event -> {
                  throw new IllegalStateException("broken");
                },
                metrics));
    fanout.emit(refused(MailEvent.Reason.SYNTAX, 500));
    shows("postern_refused_total{reason=\"syntax\",reply=\"5xx\",stage=\"rcpt\"} 1.0");
  }

  private static MailEvent refused(MailEvent.Reason reason, int code) {
    return new MailEvent.Refused(
        MailEvent.Stage.RCPT,
        reason,
        code,
        "5.1.1",
        "text",
        PEER,
        "a@example.org",
        "b@example.com",
        Optional.empty(),
        REFERENCE);
  }
}
