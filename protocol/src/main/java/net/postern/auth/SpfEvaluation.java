package net.postern.auth;

import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import net.postern.auth.SpfResult.Code;
import net.postern.dns.Answer;
import net.postern.dns.DnsNames;
import net.postern.dns.MxRecord;
import net.postern.dns.Resolver;
import org.jspecify.annotations.Nullable;

/**
 * One evaluation: {@code check_host()} of RFC 7208 §4, with what it may use up. Belongs to one
 * thread.
 *
 * <p>All bounds together (RFC 7208 §4.6.4): ten terms that ask the DNS, each one question or, for
 * mx, eleven; the client's names once, eleven questions; one question for each policy, one for the
 * explanation. Two terms whose answer is empty, and a time for everything.
 */
final class SpfEvaluation {
  /** Terms of all records together that ask the DNS (RFC 7208 §4.6.4). */
  static final int MAX_TERMS = 10;

  /** Terms that ask for what is not there (RFC 7208 §4.6.4). */
  static final int MAX_VOID = 2;

  /** Mail exchangers of a domain, and names of a client (RFC 7208 §4.6.4). */
  static final int MAX_NAMES = 10;

  private static final String UNKNOWN = "unknown";

  /**
   * What a policy said.
   *
   * @param domain whose policy it was in the end: of this one, or where it redirects to
   * @param explanation of the record that decided
   */
  private record Outcome(
      Code code,
      String domain,
      Optional<String> mechanism,
      Optional<SpfText> explanation,
      String problem) {
    static Outcome of(Code code, String domain, String problem) {
      return new Outcome(code, domain, Optional.empty(), Optional.empty(), problem);
    }
  }

  private final Resolver resolver;
  private final SpfQuestion question;
  private final byte[] client;
  private final Duration limit;
  private final Clock clock;
  private final LongSupplier nanoTime;
  private final long start;
  private int terms;
  private int voids;
  private @Nullable List<String> clientNames;

  SpfEvaluation(
      Resolver resolver, SpfQuestion question, Duration limit, Clock clock, LongSupplier nanoTime) {
    this.resolver = resolver;
    this.question = question;
    this.client = question.client().getAddress();
    this.limit = limit;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.start = nanoTime.getAsLong();
  }

  SpfResult result() {
    try {
      Outcome outcome = checkHost(question.domain());
      return new SpfResult(
          outcome.code(),
          question.domain(),
          outcome.code() == Code.FAIL ? explanation(outcome) : Optional.empty(),
          outcome.mechanism(),
          outcome.problem());
    } catch (SpfStopException e) {
      return new SpfResult(
          e.code(), question.domain(), Optional.empty(), Optional.empty(), e.problem());
    }
  }

  private Outcome checkHost(String domain) throws SpfStopException {
    // RFC 7208 §4.3
    if (!DnsNames.fits(domain) || domain.indexOf('.') < 0 || domain.startsWith("[")) {
      return Outcome.of(Code.NONE, domain, "this is no domain");
    }
    // RFC 7208 §4.4
    return switch (dns().txt(domain)) {
      case Answer.Failure<String>(String reason, Answer.Cause _) ->
          throw new SpfStopException(Code.TEMPERROR, reason);
      case Answer.NxDomain<String> _ ->
          Outcome.of(Code.NONE, domain, "the domain " + domain + " does not exist");
      case Answer.NoData<String> _ -> none(domain);
      case Answer.Found<String>(List<String> texts) -> {
        // RFC 7208 §4.5
        List<String> records = texts.stream().filter(SpfRecord::isOne).toList();
        yield switch (records.size()) {
          case 0 -> none(domain);
          case 1 -> evaluate(domain, read(domain, records.getFirst()));
          default -> throw broken(domain, "there are " + records.size() + " SPF records");
        };
      }
    };
  }

  private static Outcome none(String domain) {
    return Outcome.of(Code.NONE, domain, "the domain " + domain + " has no SPF record");
  }

  private static SpfRecord read(String domain, String text) throws SpfStopException {
    try {
      return SpfRecord.parse(text);
    } catch (SpfSyntaxException e) {
      throw broken(domain, String.valueOf(e.getMessage()));
    }
  }

  private static SpfStopException broken(String domain, String problem) {
    return new SpfStopException(Code.PERMERROR, "SPF record of " + domain + ": " + problem);
  }

  private Outcome evaluate(String domain, SpfRecord record) throws SpfStopException {
    for (SpfMechanism mechanism : record.mechanisms()) {
      if (matches(domain, mechanism)) {
        return new Outcome(
            mechanism.qualifier(), domain, Optional.of(mechanism.text()), record.explanation(), "");
      }
    }
    if (record.redirect().isEmpty()) {
      // RFC 7208 §4.7
      return Outcome.of(Code.NEUTRAL, domain, "");
    }
    term(domain, "redirect");
    String target = name(domain, record.redirect().get());
    Outcome outcome = checkHost(target);
    if (outcome.code() == Code.NONE) {
      // RFC 7208 §6.1
      throw broken(domain, "it redirects to " + target + ", and " + outcome.problem());
    }
    return outcome;
  }

  private boolean matches(String domain, SpfMechanism mechanism) throws SpfStopException {
    return switch (mechanism) {
      case SpfMechanism.All _ -> true;
      case SpfMechanism.Ip ip -> inNetwork(client, ip.network(), ip.prefix());
      case SpfMechanism.Include include -> includes(domain, include);
      case SpfMechanism.Exists exists -> {
        term(domain, exists.text());
        Answer<InetAddress> found = a(name(domain, exists.domain()));
        countVoid(domain, found);
        yield found instanceof Answer.Found;
      }
      case SpfMechanism.A a -> {
        term(domain, a.text());
        Answer<InetAddress> found = addresses(target(domain, a.domain()));
        countVoid(domain, found);
        yield anyInNetwork(found, a.prefixes());
      }
      case SpfMechanism.Mx mx -> {
        term(domain, mx.text());
        yield anyExchanger(domain, mx);
      }
      case SpfMechanism.Ptr ptr -> {
        term(domain, ptr.text());
        String target = target(domain, ptr.domain());
        yield clientNames().stream().anyMatch(name -> isBelow(name, target));
      }
    };
  }

  // RFC 7208 §5.2
  private boolean includes(String domain, SpfMechanism.Include include) throws SpfStopException {
    term(domain, include.text());
    String target = name(domain, include.domain());
    Outcome outcome = checkHost(target);
    return switch (outcome.code()) {
      case PASS -> true;
      case FAIL, SOFTFAIL, NEUTRAL -> false;
      case NONE -> throw broken(domain, "it includes " + target + ", and " + outcome.problem());
      case TEMPERROR, PERMERROR -> throw new SpfStopException(outcome.code(), outcome.problem());
    };
  }

  // RFC 7208 §5.4: a domain without exchangers is not its own.
  private boolean anyExchanger(String domain, SpfMechanism.Mx mx) throws SpfStopException {
    String target = target(domain, mx.domain());
    Answer<MxRecord> found =
        DnsNames.fits(target) ? settled(dns().mx(target)) : new Answer.NxDomain<>();
    countVoid(domain, found);
    List<MxRecord> exchangers = found.orNone();
    if (exchangers.size() > MAX_NAMES) {
      throw broken(domain, target + " has more than " + MAX_NAMES + " mail exchangers");
    }
    for (MxRecord exchanger : exchangers) {
      // RFC 7505 §3: the root is no host.
      if (!exchanger.host().isEmpty() && anyInNetwork(addresses(exchanger.host()), mx.prefixes())) {
        return true;
      }
    }
    return false;
  }

  /** The client's names that have its address (RFC 7208 §5.5); looked up once. */
  private List<String> clientNames() throws SpfStopException {
    if (clientNames != null) {
      return clientNames;
    }
    List<String> verified = new ArrayList<>();
    // An error means here that there is no name, and none at all is no void lookup: the owner of
    // the domain has no say in it.
    Answer<String> found = dns().ptr(question.client());
    List<String> names = found.orNone();
    for (String name : names.subList(0, Math.min(names.size(), MAX_NAMES))) {
      if (DnsNames.fits(name)) {
        Answer<InetAddress> addresses = client.length == 4 ? dns().a(name) : dns().aaaa(name);
        if (addresses.orNone().contains(question.client())) {
          verified.add(DnsNames.canonical(name));
        }
      }
    }
    clientNames = List.copyOf(verified);
    return clientNames;
  }

  /** The macro p (RFC 7208 §7.3): the name that fits the domain best. */
  private String clientName(String domain) throws SpfStopException {
    List<String> names = clientNames();
    if (names.contains(domain)) {
      return domain;
    }
    return names.stream()
        .filter(name -> isBelow(name, domain))
        .findFirst()
        .orElse(names.isEmpty() ? UNKNOWN : names.getFirst());
  }

  private static boolean isBelow(String name, String domain) {
    return name.equals(domain) || name.endsWith("." + domain);
  }

  // RFC 7208 §6.2: whatever is wrong with it, there is then no explanation.
  private Optional<String> explanation(Outcome outcome) {
    if (outcome.explanation().isEmpty()) {
      return Optional.empty();
    }
    try {
      String at = name(outcome.domain(), outcome.explanation().get());
      List<String> texts = DnsNames.fits(at) ? dns().txt(at).orNone() : List.of();
      if (texts.size() != 1 || texts.getFirst().length() > SpfRecord.MAX_LENGTH) {
        return Optional.empty();
      }
      String text =
          SpfText.parse(texts.getFirst(), SpfText.Use.EXPLANATION)
              .expand(letter -> value(outcome.domain(), letter));
      return text.isEmpty() ? Optional.empty() : Optional.of(printable(text));
    } catch (SpfSyntaxException | SpfStopException e) {
      return Optional.empty();
    }
  }

  // A client chooses what some macros stand for.
  private static String printable(String text) {
    int length = Math.min(text.length(), SpfResult.MAX_EXPLANATION);
    StringBuilder out = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      out.append(c >= ' ' && c < 0x7f ? c : '?');
    }
    return out.toString();
  }

  // --- Names ---

  private String target(String domain, Optional<SpfText> given) throws SpfStopException {
    return given.isPresent() ? name(domain, given.get()) : domain;
  }

  private String name(String domain, SpfText text) throws SpfStopException {
    return text.expandName(letter -> value(domain, letter));
  }

  /** What a macro stands for (RFC 7208 §7.2). */
  private String value(String domain, char letter) throws SpfStopException {
    return switch (letter) {
      case 's' -> question.sender();
      case 'l' -> question.localPart();
      case 'o' -> question.domain();
      case 'd' -> domain;
      case 'i' -> SpfAddresses.dotted(client);
      case 'p' -> clientName(domain);
      case 'v' -> client.length == 4 ? "in-addr" : "ip6";
      case 'h' -> question.helo();
      case 'c' -> SpfAddresses.readable(client);
      case 'r' -> question.receiver().isEmpty() ? UNKNOWN : question.receiver();
      case 't' -> String.valueOf(clock.instant().getEpochSecond());
      default -> throw new IllegalStateException("no macro letter: " + letter);
    };
  }

  // --- The DNS, counted ---

  private void term(String domain, String what) throws SpfStopException {
    if (++terms > MAX_TERMS) {
      throw broken(domain, "\"" + what + "\" is more than the " + MAX_TERMS + "th DNS lookup");
    }
  }

  private void countVoid(String domain, Answer<?> answer) throws SpfStopException {
    boolean none = answer instanceof Answer.NoData || answer instanceof Answer.NxDomain;
    if (none && ++voids > MAX_VOID) {
      throw broken(domain, "more than " + MAX_VOID + " of its DNS lookups find nothing");
    }
  }

  private Resolver dns() throws SpfStopException {
    Duration left = limit.minusNanos(nanoTime.getAsLong() - start);
    if (left.isZero() || left.isNegative()) {
      throw new SpfStopException(
          Code.TEMPERROR, "the check took longer than " + limit.toMillis() + " ms");
    }
    return resolver.within(left);
  }

  private Answer<InetAddress> addresses(String host) throws SpfStopException {
    if (client.length == 4) {
      return a(host);
    }
    return DnsNames.fits(host) ? settled(dns().aaaa(host)) : new Answer.NxDomain<>();
  }

  private Answer<InetAddress> a(String host) throws SpfStopException {
    return DnsNames.fits(host) ? settled(dns().a(host)) : new Answer.NxDomain<>();
  }

  // RFC 7208 §5: an error of the DNS ends the check.
  private static <T> Answer<T> settled(Answer<T> answer) throws SpfStopException {
    if (answer instanceof Answer.Failure<T>(String reason, Answer.Cause _)) {
      throw new SpfStopException(Code.TEMPERROR, reason);
    }
    return answer;
  }

  private boolean anyInNetwork(Answer<InetAddress> found, SpfMechanism.Prefixes prefixes) {
    return found.orNone().stream()
        .map(InetAddress::getAddress)
        .anyMatch(network -> inNetwork(client, network, prefixes.of(network)));
  }

  private static boolean inNetwork(byte[] address, byte[] network, int prefix) {
    if (address.length != network.length) {
      return false;
    }
    int whole = prefix / 8;
    for (int i = 0; i < whole; i++) {
      if (address[i] != network[i]) {
        return false;
      }
    }
    int rest = prefix % 8;
    return rest == 0 || ((address[whole] ^ network[whole]) & 0xff) >> (8 - rest) == 0;
  }
}
