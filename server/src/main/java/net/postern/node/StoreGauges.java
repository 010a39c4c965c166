package net.postern.node;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import net.postern.blob.S3Requests;
import net.postern.blob.S3Store;
import net.postern.blob.StoreMeter;
import net.postern.blob.TimedStore;
import net.postern.vault.Scrubber;
import net.postern.vault.StoreUpkeep;

/** What is measured of each store: its calls, what it lacks, how far the scrub of it is. */
final class StoreGauges {
  private StoreGauges() {}

  static void register(MeterRegistry registry, StoreUpkeep upkeep, Scrubber scrubber) {
    for (TimedStore store : upkeep.all()) {
      for (StoreMeter.Call call : StoreMeter.Call.values()) {
        calls(registry, store, call);
      }
      StoreMeter meter = store.meter();
      gauge(registry, store, "postern.store.under.way", "Calls now", meter, StoreMeter::underWay);
      gauge(
          registry,
          store,
          "postern.store.hanging",
          "Calls that nobody waits for any longer",
          meter,
          StoreMeter::hanging);
      gauge(
          registry,
          store,
          "postern.store.backlog",
          "Objects that the store is known to lack",
          upkeep,
          of -> of.backlog(store.name()));
      scrub(registry, store, scrubber);
      if (TimedStore.behind(store) instanceof S3Store server) {
        requests(registry, server);
      }
    }
    Gauge.builder("postern.scrub.unrepaired", scrubber, of -> of.state().unrepaired().size())
        .description("Damage that no copy could heal")
        .strongReference(true)
        .register(registry);
  }

  private static void calls(MeterRegistry registry, TimedStore store, StoreMeter.Call call) {
    String name = call.name().toLowerCase(Locale.ROOT);
    StoreMeter meter = store.meter();
    FunctionTimer.builder(
            "postern.store.calls",
            meter,
            of -> of.totals(call).calls(),
            of -> of.totals(call).nanos(),
            TimeUnit.NANOSECONDS)
        .description("Calls to a store, and what they took")
        .tag("store", store.name())
        .tag("call", name)
        .register(registry);
    FunctionCounter.builder("postern.store.failures", meter, of -> of.totals(call).failures())
        .description("Calls to a store that failed or took too long")
        .tag("store", store.name())
        .tag("call", name)
        .register(registry);
    FunctionCounter.builder("postern.store.bytes", meter, of -> of.totals(call).bytes())
        .description("Bytes that went to or came from a store")
        .tag("store", store.name())
        .tag("call", name)
        .register(registry);
  }

  private static void requests(MeterRegistry registry, S3Store server) {
    Map<String, ToDoubleFunction<S3Requests>> operations =
        Map.of(
            "put", S3Requests::put,
            "get", S3Requests::get,
            "list", S3Requests::list,
            "head", S3Requests::head,
            "delete", S3Requests::delete,
            "multipart", S3Requests::multipart);
    operations.forEach(
        (operation, count) ->
            FunctionCounter.builder(
                    "postern.s3.requests", server, of -> count.applyAsDouble(of.requests()))
                .description("Requests to an S3 server, tries of the same one each for itself")
                .tag("store", server.name())
                .tag("operation", operation)
                .register(registry));
  }

  private static void scrub(MeterRegistry registry, TimedStore store, Scrubber scrubber) {
    String name = store.name();
    FunctionCounter.builder(
            "postern.scrub.objects", scrubber, of -> of.state().store(name).objects())
        .description("Copies that were checked")
        .tag("store", name)
        .register(registry);
    FunctionCounter.builder("postern.scrub.bytes", scrubber, of -> of.state().store(name).bytes())
        .description("Bytes of copies that were checked")
        .tag("store", name)
        .register(registry);
    gauge(
        registry,
        store,
        "postern.scrub.full",
        "When everything in a store was checked last, seconds since 1970",
        scrubber,
        of -> of.state().store(name).lastFullPass().map(Instant::getEpochSecond).orElse(0L));
  }

  private static <T> void gauge(
      MeterRegistry registry,
      TimedStore store,
      String name,
      String description,
      T of,
      ToDoubleFunction<T> value) {
    Gauge.builder(name, of, value)
        .description(description)
        .tag("store", store.name())
        .strongReference(true)
        .register(registry);
  }
}
