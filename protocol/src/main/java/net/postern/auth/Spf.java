package net.postern.auth;

import java.time.Clock;
import java.time.Duration;
import java.util.function.LongSupplier;
import net.postern.dns.Resolver;

/**
 * Checks clients against the policies of domains (RFC 7208 §4). Safe for many threads; a check
 * blocks while it asks the DNS, so call it from a virtual thread.
 */
public final class Spf {
  /** What RFC 7208 §4.6.4 asks for at least, for all questions of a check together. */
  public static final Duration STANDARD_LIMIT = Duration.ofSeconds(20);

  private final Resolver resolver;
  private final Duration limit;
  private final Clock clock;
  private final LongSupplier nanoTime;

  /**
   * @param limit longest time for a check; over it the result is temperror
   * @param clock tells the time in explanations
   */
  public Spf(Resolver resolver, Duration limit, Clock clock) {
    this(resolver, limit, clock, System::nanoTime);
  }

  /** For tests: with a time of its own for the limit. */
  Spf(Resolver resolver, Duration limit, Clock clock, LongSupplier nanoTime) {
    this.resolver = resolver;
    this.limit = limit;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /** Answers a question. Never throws for what a domain, a server or a client can do. */
  public SpfResult check(SpfQuestion question) {
    return new SpfEvaluation(resolver, question, limit, clock, nanoTime).result();
  }
}
