package net.postern.dnsbl;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.postern.config.InsideAddresses;
import net.postern.dns.Answer;
import net.postern.dns.Resolver;
import net.postern.events.Events;
import net.postern.events.MailEvent;

/**
 * Asks all lists at once and waits for them together no longer than a budget; what comes later
 * counts as no. Watches each list; see {@link ZoneHealth}. Safe for many threads.
 */
public final class BlockLists {
  /** Lists without zones: nobody is listed. */
  public static BlockLists none(Resolver resolver) {
    return new BlockLists(List.of(), resolver, Duration.ZERO, InstantSource.system(), event -> {});
  }

  /** Longest text of a list that is shown to a sender, in characters. */
  private static final int MAX_TEXT = 200;

  /** Domains that are asked about at a time. */
  private static final int MAX_DOMAINS = 6;

  private record Watched(Zone zone, ZoneHealth health) {}

  private final List<Watched> zones;
  private final Resolver resolver;
  private final Duration budget;
  private final InstantSource clock;
  private final Events events;

  /**
   * None is used before {@link #tend} has looked at its test points.
   *
   * @param resolver answers within the budget, or says that it cannot and whose doing it is
   * @param budget for all questions about a client together
   */
  public BlockLists(
      List<Zone> zones, Resolver resolver, Duration budget, InstantSource clock, Events events) {
    this.zones = zones.stream().map(zone -> new Watched(zone, new ZoneHealth())).toList();
    this.resolver = resolver;
    this.budget = budget;
    this.clock = clock;
    this.events = events;
  }

  private sealed interface Outcome {
    record Listed(Listing listing) implements Outcome {}

    record Unlisted() implements Outcome {}

    record Silent() implements Outcome {}

    /** We did not get to ask, which says nothing of the list. */
    record Unasked() implements Outcome {}
  }

  /**
   * @param name that the list was asked for
   */
  private record Asked(Watched watched, String name, CompletableFuture<Outcome> outcome) {}

  /** What the lists say of a client's address. Blocks for the budget at the longest. */
  public Listings ask(InetAddress client) {
    if (InsideAddresses.contain(client)) {
      return Listings.NONE;
    }
    Zone.Kind kind = client.getAddress().length == 4 ? Zone.Kind.IP4 : Zone.Kind.IP6;
    String shown = client.getHostAddress();
    List<Asked> asked = new ArrayList<>();
    for (Watched each : zones) {
      if (each.zone().kind() == kind && each.health().usable()) {
        asked.add(begin(each, Zone.question(client), shown));
      }
    }
    return gather(asked);
  }

  /**
   * What the lists of domains say of names. Address literals and plain addresses are never asked
   * about. Blocks for the budget at the longest.
   *
   * @param domains lower case; no more than {@value #MAX_DOMAINS} of them are looked at
   */
  public Listings ask(Collection<String> domains) {
    List<Asked> asked = new ArrayList<>();
    int names = 0;
    for (String domain : domains) {
      if (!isName(domain) || names++ == MAX_DOMAINS) {
        continue;
      }
      for (Watched each : zones) {
        if (each.zone().kind() == Zone.Kind.DOMAIN && each.health().usable()) {
          asked.add(begin(each, domain, domain));
        }
      }
    }
    return gather(asked);
  }

  private static boolean isName(String domain) {
    return domain.indexOf('.') > 0
        && !domain.startsWith("[")
        && domain.indexOf(':') < 0
        && !domain.matches("(.*\\.)?[0-9]+");
  }

  private Asked begin(Watched watched, String question, String shown) {
    String name = question + "." + watched.zone().name();
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("dnsbl")
        .start(
            () -> {
              try {
                outcome.complete(one(watched, name, shown));
              } catch (RuntimeException | Error e) {
                outcome.completeExceptionally(e);
              }
            });
    return new Asked(watched, name, outcome);
  }

  private Outcome one(Watched watched, String name, String shown) {
    Zone zone = watched.zone();
    long begun = System.nanoTime();
    Answer<InetAddress> answer = resolver.a(name);
    if (System.nanoTime() - begun > budget.toNanos() && !(answer instanceof Answer.Failure)) {
      // Of no use to anybody. A list that is slow is cut off by the resolver: an answer that is
      // here too late waited for us.
      answer = new Answer.Failure<>("too late", Answer.Cause.OURS);
    }
    return switch (answer) {
      case Answer.Failure<InetAddress>(String _, Answer.Cause cause)
          when cause == Answer.Cause.OURS ->
          new Outcome.Unasked();
      case Answer.NxDomain<InetAddress> _, Answer.NoData<InetAddress> _ -> {
        watched.health().answered(clock.instant(), false);
        yield new Outcome.Unlisted();
      }
      case Answer.Failure<InetAddress> _ -> {
        watched.health().silent(clock.instant()).ifPresent(why -> tell(zone, false, why));
        yield new Outcome.Silent();
      }
      case Answer.Found<InetAddress>(List<InetAddress> answers) -> found(watched, shown, answers);
    };
  }

  private Outcome found(Watched watched, String shown, List<InetAddress> answers) {
    Zone zone = watched.zone();
    int weight = 0;
    boolean weighed = false;
    StringBuilder what = new StringBuilder();
    StringBuilder codes = new StringBuilder();
    for (InetAddress answer : answers) {
      switch (zone.meaning(answer)) {
        case Zone.Meaning.Fault(String why) -> {
          watched.health().error(clock.instant(), why).ifPresent(text -> tell(zone, false, text));
          return new Outcome.Silent();
        }
        case Zone.Meaning.Listed listed -> {
          weighed = true;
          weight += listed.weight();
          what.append(what.isEmpty() ? "" : ", ").append(listed.what());
          codes.append(codes.isEmpty() ? "" : ",").append(answer.getHostAddress());
        }
        case Zone.Meaning.Unweighed _ -> {}
      }
    }
    watched.health().answered(clock.instant(), true);
    if (!weighed) {
      return new Outcome.Unlisted();
    }
    return new Outcome.Listed(
        new Listing(zone.name(), shown, codes.toString(), weight, what.toString(), ""));
  }

  // Only the list that weighs most is told of to the sender, so only its words are asked for.
  // RFC 5782 §2.1: the text says why; where there is none, the page does.
  private Listing explained(Listing listing, Asked asked, Duration left) {
    String more = asked.watched().zone().lookup(listing.asked());
    for (String text : resolver.within(left).txt(asked.name()).orNone()) {
      String printable = text.replaceAll("[^\\x20-\\x7e]", "?").strip();
      if (!printable.isEmpty()) {
        more = printable.length() <= MAX_TEXT ? printable : printable.substring(0, MAX_TEXT);
        break;
      }
    }
    return new Listing(
        listing.zone(), listing.asked(), listing.code(), listing.weight(), listing.what(), more);
  }

  private Listings gather(List<Asked> asked) {
    if (asked.isEmpty()) {
      return Listings.NONE;
    }
    long end = System.nanoTime() + budget.toNanos();
    List<Listing> listings = new ArrayList<>(2);
    List<String> silent = new ArrayList<>(0);
    Map<Listing, Asked> said = new HashMap<>(4);
    for (Asked each : asked) {
      Zone zone = each.watched().zone();
      try {
        Outcome outcome =
            each.outcome().get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        switch (outcome) {
          case Outcome.Listed(Listing listing) -> {
            listings.add(listing);
            said.put(listing, each);
          }
          case Outcome.Unlisted _ -> {}
          case Outcome.Silent _, Outcome.Unasked _ -> silent.add(zone.name());
        }
      } catch (TimeoutException e) {
        // Its own thread goes on, and counts what becomes of it.
        silent.add(zone.name());
      } catch (ExecutionException e) {
        silent.add(zone.name());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return new Listings(listings, silent);
      }
    }
    Listings all = new Listings(listings, silent);
    Duration left = Duration.ofNanos(end - System.nanoTime());
    if (all.worst().isEmpty() || !left.isPositive()) {
      return all;
    }
    Listing worst = all.worst().get();
    Listing explained = explained(worst, Objects.requireNonNull(said.get(worst)), left);
    listings.set(listings.indexOf(worst), explained);
    return new Listings(listings, silent);
  }

  // ---- health ----

  /**
   * Looks at the test points of every zone that is due: at start, each hour, when a bench is over,
   * and when a zone listed everything lately. One thread at a time; blocks while it asks.
   */
  public void tend() {
    List<Thread> tests = new ArrayList<>();
    for (Watched each : zones) {
      if (each.health().testDue(clock.instant())) {
        tests.add(Thread.ofVirtual().name("dnsbl-test").start(() -> test(each)));
      }
    }
    for (Thread each : tests) {
      try {
        each.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private void test(Watched watched) {
    Optional<String> problem;
    try {
      problem = problem(watched.zone());
    } catch (UnaskedException e) {
      return; // Still due.
    }
    Instant now = clock.instant();
    if (problem.isEmpty()) {
      if (watched.health().passed(now)) {
        tell(watched.zone(), true, "its test points are as they have to be");
      }
    } else {
      watched.health().failed(now, problem.get());
      tell(watched.zone(), false, problem.get());
    }
  }

  // RFC 5782 §5: what tells a list that works from one that is gone, shut to us, or a wildcard.
  private Optional<String> problem(Zone zone) throws UnaskedException {
    String unlisted = zone.unlistedPoint() + "." + zone.name();
    switch (resolver.a(unlisted)) {
      case Answer.NxDomain<InetAddress> _, Answer.NoData<InetAddress> _ -> {}
      case Answer.Failure<InetAddress>(String reason, Answer.Cause cause) -> {
        return Optional.of(silence(reason, cause));
      }
      case Answer.Found<InetAddress>(List<InetAddress> answers) -> {
        return Optional.of(
            zone.meaning(answers.getFirst()) instanceof Zone.Meaning.Fault(String why)
                ? why
                : "lists what no list has, perhaps everything: %s is %s"
                    .formatted(unlisted, answers.getFirst().getHostAddress()));
      }
    }
    String listed = zone.listedPoint() + "." + zone.name();
    return switch (resolver.a(listed)) {
      case Answer.NxDomain<InetAddress> _, Answer.NoData<InetAddress> _ ->
          Optional.of("does not list its own test point " + listed);
      case Answer.Failure<InetAddress>(String reason, Answer.Cause cause) ->
          Optional.of(silence(reason, cause));
      case Answer.Found<InetAddress>(List<InetAddress> answers) ->
          zone.meaning(answers.getFirst()) instanceof Zone.Meaning.Fault(String why)
              ? Optional.of(why)
              : Optional.empty();
    };
  }

  /** We did not get to ask. */
  private static final class UnaskedException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private static String silence(String reason, Answer.Cause cause) throws UnaskedException {
    if (cause == Answer.Cause.OURS) {
      throw new UnaskedException();
    }
    return "does not answer: " + reason;
  }

  private void tell(Zone zone, boolean up, String why) {
    events.emit(new MailEvent.ListHealth(zone.title(), up, why));
  }

  /**
   * How a zone is.
   *
   * @param title the zone's name, with the family of addresses where it has both
   * @param up whether it is asked
   * @param why it is not; empty when it is
   * @param until when it is looked at again
   * @param asked questions since start
   * @param listed of these, answered with a listing
   * @param errors of these, answered with what is none
   * @param silent of these, not answered
   */
  public record Status(
      String title,
      boolean up,
      String why,
      Instant until,
      long asked,
      long listed,
      long errors,
      long silent) {}

  /** How the zones are, in the order of the configuration. */
  public List<Status> status() {
    return zones.stream()
        .map(
            each -> {
              ZoneHealth.State state = each.health().state();
              return new Status(
                  each.zone().title(),
                  state.up(),
                  state.why(),
                  state.until(),
                  state.asked(),
                  state.listed(),
                  state.errors(),
                  state.silent());
            })
        .toList();
  }
}
