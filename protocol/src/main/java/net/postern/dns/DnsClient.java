package net.postern.dns;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Ticker;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;
import org.xbill.DNS.hosts.HostsFileParser;

/**
 * The one client of the DNS that all parts of a node share.
 *
 * <p>A question is looked for in the cache first; then, when another caller has asked the same one
 * and waits for its answer, this caller waits for it too; only then is a server asked. Answers are
 * believed for their TTL, denials for what the zone's SOA record says (RFC 2308 §5), both for no
 * longer than an hour, and failures for a few seconds, so that a dead server is not asked again and
 * again. What a caller cannot wait for is still learned.
 *
 * <p>Threads: any may ask; they block. Each question to servers has a virtual thread of its own.
 * How many there are at one time is bounded, for each {@link Budget} by itself: however much
 * strangers give us to ask, delivery finds its way. No lock is held while anything waits.
 */
final class DnsClient {
  /** For whom is asked, and how many questions to servers there are at one time; more wait. */
  enum Budget {
    /** What we send, and whom we ask to know what to take. */
    OWN(1_000),
    /** What is to be known of those who connect to us: they choose the names. */
    STRANGERS(2_000),
    /** What lists say of them: of names that strangers do not choose. */
    LISTS(2_000);

    final int most;

    Budget(int most) {
      this.most = most;
    }
  }

  /** Longest that an answer or denial is believed, in seconds, whatever its TTL. */
  static final long MAX_LIFE = 3_600;

  /** How long a failure is, in seconds (RFC 2308 §7 allows five minutes). */
  static final long FAILURE_LIFE = 5;

  /** How long an address from the hosts file is, in seconds. */
  private static final long HOSTS_LIFE = 30;

  /** Octets of an answer that count as one entry of the cache. */
  private static final int ENTRY = 512;

  /** Aliases that are followed for one question. */
  private static final int MAX_ALIASES = 10;

  /**
   * The first try has about this part of the time; each round of tries has twice the time of the
   * last.
   */
  private static final int FIRST_TRY = 8;

  /**
   * By how much of itself a try is longer or shorter, by chance: questions that were lost together,
   * as in a burst that a server's buffer did not hold, are not asked again together.
   */
  private static final double SPREAD = 0.25;

  /** Rounds of tries: a server that answers nonsense does so at once. */
  private static final int MAX_ROUNDS = 4;

  private static final Duration LEAST_TRY = Duration.ofMillis(200);

  /**
   * @param name in canonical form
   */
  record Question(String name, int type) {}

  /** What is remembered: the answer, for how long, and how many entries it counts as. */
  private record Known(Answer<?> answer, long seconds, int weight) {
    static Known failure(String reason, Answer.Cause cause) {
      return new Known(new Answer.Failure<>("DNS: " + reason, cause), FAILURE_LIFE, 1);
    }
  }

  /** A question that is under way. */
  private static final class Flight {
    final CompletableFuture<Known> landing = new CompletableFuture<>();
    private volatile long departedAt;
    private volatile boolean departed;

    void depart() {
      departedAt = System.nanoTime();
      departed = true;
    }

    /** How long servers have been asked, in nanoseconds; 0 when none was. */
    long asked() {
      return departed ? System.nanoTime() - departedAt : 0;
    }
  }

  private final List<DnsServer> servers;
  private final Duration timeout;
  private final HostsFileParser hosts;
  private final Cache<Question, Known> cache;
  private final Map<Question, Flight> flights = new ConcurrentHashMap<>();
  private final Map<Budget, Semaphore> rooms = new EnumMap<>(Budget.class);
  private final LongAdder crowded = new LongAdder();
  private final LongAdder questions = new LongAdder();
  private final LongAdder hits = new LongAdder();
  private final LongAdder shared = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder sent = new LongAdder();
  private final LongAdder waits = new LongAdder();
  private final LongAdder waited = new LongAdder();

  /**
   * @param ticker what lives in the cache are measured with
   */
  DnsClient(DnsSettings settings, HostsFileParser hosts, Ticker ticker) {
    this.servers = settings.servers().stream().map(DnsServer::new).toList();
    this.timeout = settings.timeout();
    this.hosts = hosts;
    for (Budget budget : Budget.values()) {
      rooms.put(budget, new Semaphore(budget.most));
    }
    this.cache =
        Caffeine.newBuilder()
            .maximumWeight(settings.cacheEntries())
            .weigher((Question question, Known known) -> known.weight())
            .expireAfter(
                Expiry.creating(
                    (Question question, Known known) -> Duration.ofSeconds(known.seconds())))
            .ticker(ticker)
            .executor(Runnable::run)
            .build();
  }

  /** The longest time for a question. */
  Duration timeout() {
    return timeout;
  }

  DnsStats stats() {
    return new DnsStats(
        questions.sum(),
        hits.sum(),
        shared.sum(),
        failures.sum(),
        sent.sum(),
        waits.sum(),
        waited.sum(),
        crowded.sum(),
        flights.size(),
        cache.estimatedSize());
  }

  /** Asks for records of a kind out of a budget; blocks no longer than the limit. */
  @SuppressWarnings("unchecked") // a question's type is that of its kind
  <T> Answer<T> ask(String name, Kind<T> kind, Duration limit, Budget budget) {
    questions.increment();
    Question question = new Question(DnsNames.canonical(name), kind.type());
    Known known = cache.getIfPresent(question);
    Answer<T> answer;
    if (known != null) {
      hits.increment();
      answer = (Answer<T>) known.answer();
    } else {
      Optional<Name> asked = DnsNames.toName(question.name());
      if (asked.isEmpty()) {
        // No name server can know a name that does not fit the DNS.
        return new Answer.NxDomain<>();
      }
      answer = (Answer<T>) wait(question, asked.get(), kind, limit, budget);
    }
    if (answer instanceof Answer.Failure) {
      failures.increment();
    }
    return answer;
  }

  private Answer<?> wait(
      Question question, Name name, Kind<?> kind, Duration limit, Budget budget) {
    Optional<Known> local = local(question, name);
    if (local.isPresent()) {
      hits.increment();
      return local.get().answer();
    }
    long start = System.nanoTime();
    Flight flight = flights.get(question);
    try {
      if (flight == null) {
        Semaphore room = Objects.requireNonNull(rooms.get(budget));
        if (!room.tryAcquire(limit.toNanos(), TimeUnit.NANOSECONDS)) {
          crowded.increment();
          return new Answer.Failure<>("DNS: too many questions at one time", Answer.Cause.OURS);
        }
        Flight mine = new Flight();
        flight = flights.putIfAbsent(question, mine);
        if (flight == null) {
          flight = mine;
          depart(question, name, kind, mine, room);
        } else {
          room.release();
          shared.increment();
        }
      } else {
        shared.increment();
      }
      long left = Math.max(0, limit.toNanos() - (System.nanoTime() - start));
      return flight.landing.get(left, TimeUnit.NANOSECONDS).answer();
    } catch (TimeoutException e) {
      // Who was not given half of the time did not fail: we were busy.
      boolean ours = flight.asked() < limit.toNanos() / 2;
      if (ours) {
        crowded.increment();
      }
      return new Answer.Failure<>(
          "DNS: no answer for "
              + name
              + " within "
              + limit.toMillis()
              + " ms"
              + (ours ? ", of which most was spent waiting for a turn" : ""),
          ours ? Answer.Cause.OURS : Answer.Cause.SILENCE);
    } catch (ExecutionException e) {
      return new Answer.Failure<>("DNS: no answer for " + name);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer.Failure<>("DNS: interrupted");
    } finally {
      waits.increment();
      waited.add(System.nanoTime() - start);
    }
  }

  /** What the hosts file has. */
  private Optional<Known> local(Question question, Name name) {
    if (question.type() != Type.A && question.type() != Type.AAAA) {
      return Optional.empty();
    }
    try {
      Optional<Known> found =
          hosts
              .getAddressForHost(name, question.type())
              .map(address -> new Known(new Answer.Found<>(List.of(address)), HOSTS_LIFE, 1));
      found.ifPresent(known -> cache.put(question, known));
      return found;
    } catch (IOException e) {
      // A hosts file that cannot be read is as one that is not there.
      return Optional.empty();
    }
  }

  // The permit is given back by the thread that is started here.
  private void depart(Question question, Name name, Kind<?> kind, Flight flight, Semaphore room) {
    Thread.ofVirtual()
        .name("dns")
        .start(
            () -> {
              Known known = Known.failure("no answer for " + name, Answer.Cause.SILENCE);
              flight.depart();
              try {
                // Another flight may have landed since the caller looked.
                Known landed = cache.getIfPresent(question);
                if (landed != null) {
                  hits.increment();
                  known = landed;
                } else {
                  known = resolve(name, kind);
                  if (known.seconds() > 0) {
                    cache.put(question, known);
                  }
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } finally {
                flights.remove(question, flight);
                room.release();
                flight.landing.complete(known);
              }
            });
  }

  private Known resolve(Name name, Kind<?> kind) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    long life = MAX_LIFE;
    Name target = name;
    for (int question = 0; question <= MAX_ALIASES; question++) {
      DnsServer.Try reply = send(target, kind.type(), end);
      if (!(reply instanceof DnsServer.Try.Answered(Message message))) {
        return switch (reply) {
          case DnsServer.Try.Refused(String reason, Answer.Cause cause) ->
              Known.failure(reason, cause);
          case DnsServer.Try.Silent(String reason) -> Known.failure(reason, Answer.Cause.SILENCE);
          case DnsServer.Try.Answered _ -> throw new IllegalStateException("it was answered");
        };
      }
      List<CNAMERecord> aliases = aliases(message, target, kind.type());
      if (aliases.size() > MAX_ALIASES) {
        return Known.failure("the aliases of " + name + " go round in a circle", Answer.Cause.SAID);
      }
      for (CNAMERecord alias : aliases) {
        life = Math.min(life, alias.getTTL());
        target = alias.getTarget();
      }
      List<Record> found = records(message, target, kind.type());
      if (!found.isEmpty()) {
        return found(found, kind, life, message);
      }
      boolean none = message.getRcode() == Rcode.NXDOMAIN;
      Optional<Long> denial = denial(message);
      if (none || aliases.isEmpty() || denial.isPresent()) {
        long seconds = Math.min(life, denial.orElse(0L));
        return new Known(none ? new Answer.NxDomain<>() : new Answer.NoData<>(), seconds, 1);
      }
      // The server knew the alias and left the target to us.
    }
    return Known.failure("the aliases of " + name + " do not end", Answer.Cause.SAID);
  }

  private static Known found(List<Record> found, Kind<?> kind, long life, Message message) {
    long seconds = life;
    List<Object> values = new ArrayList<>(found.size());
    for (Record record : found) {
      seconds = Math.min(seconds, record.getTTL());
      kind.read().apply(record).ifPresent(values::add);
    }
    Answer<?> answer =
        values.isEmpty() ? new Answer.NoData<>() : new Answer.Found<>(List.copyOf(values));
    return new Known(answer, seconds, 1 + message.numBytes() / ENTRY);
  }

  /** Asks one server after the other, those first that answer, until there is an answer. */
  private DnsServer.Try send(Name name, int type, long end) throws InterruptedException {
    List<DnsServer> asked = new ArrayList<>(servers.size());
    long now = System.nanoTime();
    servers.stream().filter(server -> server.answersLately(now)).forEach(asked::add);
    servers.stream().filter(server -> !asked.contains(server)).forEach(asked::add);
    long wait = Math.max(spread(timeout.dividedBy(FIRST_TRY).toNanos()), LEAST_TRY.toNanos());
    DnsServer.Try last = new DnsServer.Try.Silent("no name server is known");
    for (int round = 0; round < MAX_ROUNDS && !asked.isEmpty(); round++) {
      for (DnsServer server : List.copyOf(asked)) {
        long left = end - System.nanoTime();
        if (left <= 0) {
          return last;
        }
        sent.increment();
        last = server.ask(name, type, Math.min(left, wait));
        switch (last) {
          case DnsServer.Try.Answered _ -> {
            return last;
          }
          case DnsServer.Try.Refused _ -> asked.remove(server);
          case DnsServer.Try.Silent _ -> {}
        }
      }
      wait *= 2;
    }
    return last;
  }

  private static long spread(long nanos) {
    return (long) (nanos * ThreadLocalRandom.current().nextDouble(1 - SPREAD, 1 + SPREAD));
  }

  private static List<Record> records(Message message, Name name, int type) {
    return message.getSection(Section.ANSWER).stream()
        .filter(
            record ->
                record.getType() == type
                    && record.getDClass() == DClass.IN
                    && record.getName().equals(name))
        .toList();
  }

  /**
   * The aliases from a name to what stands for it (RFC 1034 §3.6.2), as far as a message has them;
   * more than {@link #MAX_ALIASES} for a circle.
   */
  private static List<CNAMERecord> aliases(Message message, Name name, int type) {
    List<CNAMERecord> chain = new ArrayList<>();
    Name target = name;
    while (chain.size() <= MAX_ALIASES && records(message, target, type).isEmpty()) {
      Name from = target;
      Optional<CNAMERecord> alias =
          message.getSection(Section.ANSWER).stream()
              .filter(record -> record instanceof CNAMERecord && record.getName().equals(from))
              .map(CNAMERecord.class::cast)
              .findFirst();
      if (alias.isEmpty()) {
        break;
      }
      chain.add(alias.get());
      target = alias.get().getTarget();
    }
    return chain;
  }

  /** Seconds that a denial is good for (RFC 2308 §5); empty without a SOA record. */
  private static Optional<Long> denial(Message message) {
    return message.getSection(Section.AUTHORITY).stream()
        .filter(SOARecord.class::isInstance)
        .map(SOARecord.class::cast)
        .map(soa -> Math.min(soa.getTTL(), soa.getMinimum()))
        .findFirst();
  }
}
