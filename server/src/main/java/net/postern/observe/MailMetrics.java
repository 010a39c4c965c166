package net.postern.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import net.postern.events.Events;
import net.postern.events.MailEvent;

/**
 * Counts events, in Prometheus' form. Labels are enums or names from the code, never addresses,
 * hosts or anything else a remote peer chooses; and each label takes only so many values, after
 * which the rest count as {@value #OTHER}.
 *
 * <p>Threads: any may emit and scrape.
 */
public final class MailMetrics implements Events, AutoCloseable {
  /** Values of one label. */
  static final int MAX_VALUES = 300;

  static final String OTHER = "other";

  private static final Duration[] BUCKETS = {
    Duration.ofMillis(1),
    Duration.ofMillis(2),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(25),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5),
    Duration.ofSeconds(30)
  };

  private static final Duration[] DELAY_BUCKETS = {
    Duration.ofMillis(10),
    Duration.ofMillis(100),
    Duration.ofSeconds(1),
    Duration.ofSeconds(10),
    Duration.ofMinutes(1),
    Duration.ofMinutes(10),
    Duration.ofHours(1),
    Duration.ofHours(6),
    Duration.ofDays(1)
  };

  private record Damage(String store, String sort, boolean repaired) {}

  private record Notice(MailEvent.DirectoryMatter matter, boolean well) {}

  private record Refusal(MailEvent.Stage stage, MailEvent.Reason reason, boolean forGood) {}

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final JvmGcMetrics gc = new JvmGcMetrics();

  private final Labelled<String> accepted = new Labelled<>(this::acceptedCounter);
  private final Labelled<String> findings = new Labelled<>(this::findingCounter);
  private final Labelled<String> removed = new Labelled<>(this::removedCounter);
  private final Labelled<String> logins = new Labelled<>(this::loginCounter);
  private final Labelled<Integer> copies = new Labelled<>(this::copiesCounter);
  private final Labelled<Refusal> refused = new Labelled<>(this::refusedCounter);
  private final Labelled<Notice> directory = new Labelled<>(this::directoryCounter);
  private final Labelled<Damage> damage = new Labelled<>(this::damageCounter);
  private final Map<String, AtomicInteger> stores = new ConcurrentHashMap<>();
  private final AtomicLong scrubTime = new AtomicLong();
  private final Counter scrubs;
  private final Counter acceptedBytes;
  private final Timer acceptTime;
  private final Counter held;
  private final Counter leftOut;
  private final Counter released;
  private final Labelled<String> sourcesBlocked = new Labelled<>(this::sourceBlockedCounter);
  private final Counter sourcesReleased;
  private final Counter delivered;
  private final Timer deliveryDelay;
  private final Counter deferred;
  private final Counter returned;

  public MailMetrics() {
    acceptedBytes = counter("postern.accepted.bytes", "Bytes of accepted messages");
    acceptTime =
        Timer.builder("postern.accept")
            .description("From the end of a message to its 250")
            .serviceLevelObjectives(BUCKETS)
            .register(registry);
    held = counter("postern.held", "Deliveries put into quarantine");
    leftOut = counter("postern.left.out", "Members of groups who do not want the sender's mail");
    released = counter("postern.released", "Deliveries let out of quarantine");
    sourcesReleased = counter("postern.sources.released", "Sources whose block has ended");
    delivered = counter("postern.delivered", "Deliveries that the next hop or mailbox took");
    deliveryDelay =
        Timer.builder("postern.delivery.delay")
            .description("From acceptance to delivery")
            .serviceLevelObjectives(DELAY_BUCKETS)
            .register(registry);
    deferred = counter("postern.deferred", "Delivery attempts that failed for now");
    returned = counter("postern.returned", "Deliveries that failed for good");
    scrubs = counter("postern.scrub.passes", "Checks of all stores that came to their end");
    gauge("postern.scrub.seconds", "What the last one took", scrubTime::get);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    gc.bindTo(registry);
  }

  @Override
  public void emit(MailEvent event) {
    switch (event) {
      case MailEvent.Accepted message -> {
        accepted.increment(message.verdict());
        copies.increment(message.copies());
        acceptedBytes.increment((double) message.bytes());
        acceptTime.record(message.took());
        for (String finding : message.findings()) {
          findings.increment(finding);
        }
      }
      case MailEvent.Refused refusal ->
          refused.increment(new Refusal(refusal.stage(), refusal.reason(), refusal.code() >= 500));
      case MailEvent.LoggedIn _ -> logins.increment("ok");
      case MailEvent.AuthFailed _ -> logins.increment("failed");
      case MailEvent.LoginLocked locked -> logins.increment("locked-" + locked.scope());
      case MailEvent.LeftOut left -> leftOut.increment(left.count());
      case MailEvent.Held _ -> held.increment();
      case MailEvent.SourceBlocked block -> sourcesBlocked.increment(block.kind());
      case MailEvent.SourceReleased _ -> sourcesReleased.increment();
      case MailEvent.Released _ -> released.increment();
      case MailEvent.Removed removal -> removed.increment(removal.rule());
      case MailEvent.Delivered delivery -> {
        delivered.increment();
        deliveryDelay.record(delivery.delay());
      }
      case MailEvent.Deferred _ -> deferred.increment();
      case MailEvent.Returned _ -> returned.increment();
      case MailEvent.DirectoryNotice notice ->
          directory.increment(new Notice(notice.matter(), notice.well()));
      case MailEvent.StoreHealth health -> store(health.store()).set(health.up() ? 1 : 0);
      // Each zone has gauges of its own.
      case MailEvent.ListHealth _ -> {}
      case MailEvent.StoreDamage found ->
          damage.increment(new Damage(found.store(), found.damage(), found.repaired()));
      case MailEvent.Scrubbed pass -> {
        scrubs.increment();
        scrubTime.set(pass.took().toSeconds());
      }
    }
  }

  /**
   * Adds a value that is asked for at each scrape.
   *
   * @param name with dots, such as {@code postern.edge.connections}; at most once for each name
   * @param value quick, and safe from any thread
   */
  public void gauge(String name, String description, Supplier<Number> value) {
    Gauge.builder(name, value).description(description).strongReference(true).register(registry);
  }

  /** All values in Prometheus' text format. */
  public String scrape() {
    return registry.scrape();
  }

  /** For components that measure themselves. */
  public io.micrometer.core.instrument.MeterRegistry registry() {
    return registry;
  }

  @Override
  public void close() {
    gc.close();
    registry.close();
  }

  private AtomicInteger store(String name) {
    AtomicInteger known = stores.get(name);
    if (known != null) {
      return known;
    }
    if (stores.size() >= MAX_VALUES) {
      return new AtomicInteger();
    }
    return stores.computeIfAbsent(
        name,
        store -> {
          AtomicInteger up = new AtomicInteger(1);
          Gauge.builder("postern.store.up", up, AtomicInteger::get)
              .description("Whether a store takes writes")
              .tag("store", store)
              .strongReference(true)
              .register(registry);
          return up;
        });
  }

  private Counter counter(String name, String description, String... tags) {
    return Counter.builder(name).description(description).tags(tags).register(registry);
  }

  private Counter acceptedCounter(String verdict) {
    return counter(
        "postern.accepted",
        "Messages that got their 250",
        "verdict",
        verdict.toLowerCase(Locale.ROOT));
  }

  private Counter loginCounter(String outcome) {
    return counter("postern.logins", "Attempts to log in", "outcome", outcome);
  }

  private Counter findingCounter(String finding) {
    return counter("postern.findings", "Accepted messages with a finding", "finding", finding);
  }

  private Counter removedCounter(String rule) {
    return counter("postern.removed", "Deliveries ended by a rule or a person", "rule", rule);
  }

  private Counter sourceBlockedCounter(String kind) {
    return counter(
        "postern.sources.blocked",
        "Sources that this node put on the block list",
        "kind",
        kind.toLowerCase(Locale.ROOT));
  }

  private Counter copiesCounter(Integer number) {
    return counter(
        "postern.accepted.copies",
        "Messages by copies at their 250",
        "copies",
        String.valueOf(number));
  }

  private Counter directoryCounter(Notice notice) {
    return counter(
        "postern.directory.notices",
        "What began or ended with customers' directories",
        "matter",
        notice.matter().name().toLowerCase(Locale.ROOT),
        "well",
        String.valueOf(notice.well()));
  }

  private Counter damageCounter(Damage found) {
    return counter(
        "postern.store.damage",
        "Copies that were not as they should be",
        "store",
        found.store(),
        "damage",
        found.sort().toLowerCase(Locale.ROOT),
        "repaired",
        String.valueOf(found.repaired()));
  }

  private Counter refusedCounter(Refusal refusal) {
    return counter(
        "postern.refused",
        "Refusals that a client was given",
        "stage",
        refusal.stage().name().toLowerCase(Locale.ROOT),
        "reason",
        refusal.reason().name().toLowerCase(Locale.ROOT),
        "reply",
        refusal.forGood() ? "5xx" : "4xx");
  }

  /** Counters of one family, made when their label is first seen; the first ones only. */
  private static final class Labelled<K> {
    private final Map<K, Counter> counters = new ConcurrentHashMap<>();
    private final Function<K, Counter> make;

    Labelled(Function<K, Counter> make) {
      this.make = make;
    }

    void increment(K label) {
      Counter known = counters.get(label);
      if (known == null) {
        known = first(label);
      }
      known.increment();
    }

    @SuppressWarnings("unchecked") // only texts are without bound, and OTHER is one
    private Counter first(K label) {
      boolean full = counters.size() >= MAX_VALUES;
      K kept = full && label instanceof String ? (K) OTHER : label;
      return counters.computeIfAbsent(kept, make);
    }
  }
}
