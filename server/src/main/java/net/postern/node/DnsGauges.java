package net.postern.node;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import net.postern.dns.DnsStats;
import net.postern.dns.DnsjavaResolver;

/** What is measured of the client of the DNS that all parts share. */
final class DnsGauges {
  private DnsGauges() {}

  static void register(MeterRegistry registry, DnsjavaResolver dns) {
    counter(registry, dns, "postern.dns.questions", "Questions to the DNS", DnsStats::questions);
    counter(
        registry,
        dns,
        "postern.dns.cache.hits",
        "Questions to the DNS that were answered from memory",
        DnsStats::hits);
    counter(
        registry,
        dns,
        "postern.dns.shared",
        "Questions to the DNS that another caller had asked already",
        DnsStats::shared);
    counter(
        registry,
        dns,
        "postern.dns.failures",
        "Questions to the DNS without an answer",
        DnsStats::failures);
    counter(
        registry,
        dns,
        "postern.dns.sent",
        "Packets with a question that went to name servers",
        DnsStats::sent);
    counter(
        registry,
        dns,
        "postern.dns.crowded",
        "Questions to the DNS that had no turn in their time: there were too many",
        DnsStats::crowded);
    FunctionTimer.builder(
            "postern.dns.wait",
            dns,
            of -> of.stats().waits(),
            of -> of.stats().waitedNanos(),
            TimeUnit.NANOSECONDS)
        .description("Questions to the DNS that were not answered from memory, and their time")
        .register(registry);
    gauge(
        registry,
        dns,
        "postern.dns.under.way",
        "Questions that name servers are asked now",
        DnsStats::underWay);
    gauge(registry, dns, "postern.dns.cached", "Answers in memory", DnsStats::cached);
  }

  private static void counter(
      MeterRegistry registry,
      DnsjavaResolver dns,
      String name,
      String description,
      ToDoubleFunction<DnsStats> value) {
    FunctionCounter.builder(name, dns, of -> value.applyAsDouble(of.stats()))
        .description(description)
        .register(registry);
  }

  private static void gauge(
      MeterRegistry registry,
      DnsjavaResolver dns,
      String name,
      String description,
      ToDoubleFunction<DnsStats> value) {
    Gauge.builder(name, dns, of -> value.applyAsDouble(of.stats()))
        .description(description)
        .strongReference(true)
        .register(registry);
  }
}
