package net.postern.node;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToDoubleFunction;
import net.postern.dnsbl.BlockLists;
import net.postern.greylist.Greylist;

/** What is measured of each block list, and of greylisting. */
public final class ListGauges {
  private ListGauges() {}

  /** Adds what is measured of each list. */
  public static void register(MeterRegistry registry, BlockLists lists) {
    for (BlockLists.Status each : lists.status()) {
      String zone = each.title();
      Gauge.builder("postern.dnsbl.up", lists, of -> status(of, zone).up() ? 1 : 0)
          .description("Whether a block list is asked; 0 when it is benched or not yet tested")
          .tag("zone", zone)
          .strongReference(true)
          .register(registry);
      counter(
          registry, lists, zone, "asked", "Questions to a block list", BlockLists.Status::asked);
      counter(
          registry, lists, zone, "listed", "Answers that are listings", BlockLists.Status::listed);
      counter(
          registry, lists, zone, "errors", "Answers that are errors", BlockLists.Status::errors);
      counter(
          registry,
          lists,
          zone,
          "silent",
          "Questions to a block list without an answer in time",
          BlockLists.Status::silent);
    }
  }

  /** Adds what is measured of greylisting. */
  static void register(MeterRegistry registry, Greylist greylist) {
    FunctionCounter.builder("postern.greylist.put.off", greylist, Greylist::putOff)
        .description("Attempts that were asked to come again")
        .register(registry);
    FunctionCounter.builder("postern.greylist.let", greylist, Greylist::let)
        .description("Attempts that greylisting let pass")
        .register(registry);
    FunctionCounter.builder("postern.greylist.unasked", greylist, Greylist::unasked)
        .description("Attempts that passed because the database was away")
        .register(registry);
  }

  private static void counter(
      MeterRegistry registry,
      BlockLists lists,
      String zone,
      String name,
      String description,
      ToDoubleFunction<BlockLists.Status> value) {
    FunctionCounter.builder(
            "postern.dnsbl." + name, lists, of -> value.applyAsDouble(status(of, zone)))
        .description(description)
        .tag("zone", zone)
        .register(registry);
  }

  private static BlockLists.Status status(BlockLists lists, String zone) {
    return lists.status().stream()
        .filter(each -> each.title().equals(zone))
        .findFirst()
        .orElseThrow();
  }
}
