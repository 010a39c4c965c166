package net.postern.edge;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.address.EmailAddress;
import net.postern.auth.Spf;
import net.postern.config.ChecksConfig;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;
import net.postern.dnsbl.BlockLists;
import net.postern.dnsbl.Zone;
import net.postern.dnsbl.ZoneTable;
import net.postern.edge.check.Checks;
import net.postern.edge.check.Client;
import net.postern.edge.check.Mail;
import net.postern.edge.check.Questions;
import net.postern.edge.check.Rcpt;
import net.postern.events.Events;
import net.postern.greylist.Greylist;
import net.postern.tenant.Directory;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.RecipientPolicies;
import net.postern.tenant.RecipientPolicy;
import net.postern.tenant.SenderEntry;
import net.postern.tenant.SenderList;
import net.postern.testkit.ManualClock;

/**
 * What checks ask, for scenarios: a DNS of plain maps, the customer's and the user's settings, a
 * clock that is moved, and clients that come from any address.
 */
final class CheckWorld {
  private static final Duration BUDGET = Duration.ofSeconds(3);

  private final MapResolver dns = new MapResolver();
  private final ManualClock clock = new ManualClock(Instant.parse("2026-06-01T12:00:00Z"));
  private final Map<String, List<String>> zones = new ConcurrentHashMap<>();
  private final List<SenderList.Line> ofUser = new ArrayList<>();
  private final List<SenderList.Line> ofCustomer = new ArrayList<>();
  private final Map<String, String> choicesOfUser = new HashMap<>();
  private final Map<String, String> choicesOfCustomer = new HashMap<>();
  private volatile Optional<InetAddress> client = Optional.empty();
  private List<Zone> lists = List.of();
  private Optional<BlockLists> given = Optional.empty();
  private Optional<Greylist> greylist = Optional.empty();

  /** Lists and choices of real users, instead of the one user and one customer of a scenario. */
  Optional<RecipientPolicies> policies = Optional.empty();

  int threshold = 6;
  ChecksConfig.OnFail spfFail = ChecksConfig.OnFail.NOTE;

  ManualClock clock() {
    return clock;
  }

  void client(String address) {
    client = Optional.of(InetAddress.ofLiteral(address));
  }

  void zones(String names) {
    ZoneTable table = ZoneTable.shipped();
    List<Zone> found = new ArrayList<>();
    for (String name : names.strip().split(" +")) {
      for (Zone zone : table.find(name)) {
        found.add(zone);
        // RFC 5782 §5: the zones of a scenario work unless it says otherwise.
        String point = zone.listedPoint() + "." + zone.name();
        if (!zones.containsKey(point + " A")) {
          zone(point + " A 127.0.0.2");
        }
      }
    }
    lists = found;
  }

  /** Others than those of {@link #zones}. */
  void lists(BlockLists asked) {
    given = Optional.of(asked);
  }

  void list(SenderList.Kind kind, String entry, boolean byUser) {
    (byUser ? ofUser : ofCustomer)
        .add(new SenderList.Line(SenderEntry.parse(entry).orElseThrow(), kind));
  }

  void choose(String name, String value, boolean byUser) {
    (byUser ? choicesOfUser : choicesOfCustomer).put(name, value);
    if (name.equals("greylist")) {
      Database database = TestDatabase.open();
      greylist = Optional.of(new Greylist(database, TestConfig.greylist(), clock));
    }
  }

  /** {@code NAME TYPE VALUE}. */
  void zone(String line) {
    String[] words = line.strip().split(" +", 3);
    String name = words[0].toLowerCase(Locale.ROOT);
    List<String> values = zones.computeIfAbsent(name + " " + words[1], key -> new ArrayList<>());
    if (words.length > 2 && !values.contains(words[2])) {
      values.add(words[2]);
    }
    String[] all = values.toArray(String[]::new);
    switch (words[1]) {
      case "A" -> dns.a(name, all);
      case "AAAA" -> dns.aaaa(name, all);
      case "TXT" -> dns.txt(name, all);
      case "PTR" -> dns.ptr(name, all);
      case "MX" ->
          dns.mx(
              name,
              values.stream()
                  .map(value -> value.split(" ", 2))
                  .map(
                      parts ->
                          new MxRecord(
                              Integer.parseInt(parts[0]), parts[1].equals(".") ? "" : parts[1]))
                  .toArray(MxRecord[]::new));
      case "FAIL" -> dns.failing(name, "SERVFAIL");
      default -> throw new IllegalArgumentException("no such record: " + line);
    }
  }

  void advance(String duration) {
    long number = Long.parseLong(duration.substring(0, duration.length() - 1));
    clock.advance(
        switch (duration.charAt(duration.length() - 1)) {
          case 's' -> Duration.ofSeconds(number);
          case 'm' -> Duration.ofMinutes(number);
          case 'h' -> Duration.ofHours(number);
          case 'd' -> Duration.ofDays(number);
          default -> throw new IllegalArgumentException(duration);
        });
  }

  Checks checks(Directory directory, Events events, Optional<Checks.SourceParts> sources) {
    BlockLists asked = given.orElseGet(() -> new BlockLists(lists, dns, BUDGET, clock, events));
    asked.tend();
    RecipientPolicy.Owner user = new RecipientPolicy.Owner(new SenderList(ofUser), choicesOfUser);
    RecipientPolicy.Owner customer =
        new RecipientPolicy.Owner(new SenderList(ofCustomer), choicesOfCustomer);
    Checks checks =
        Checks.inOrder(
            new Checks.Parts(
                directory,
                policies.orElse(
                    (of, mailbox) ->
                        new RecipientPolicy(
                            true,
                            mailbox.isPresent() ? user : RecipientPolicy.Owner.NONE,
                            customer)),
                dns,
                new Spf(dns, Spf.STANDARD_LIMIT, clock),
                asked,
                greylist,
                new Checks.Self(TestEdge.HOSTNAME, Set.of(InetAddress.ofLiteral("192.0.2.250"))),
                new Checks.Rules(threshold, spfFail),
                sources));
    return checks.with(new FromAnywhere(checks.questions()));
  }

  /** Has clients on loopback come from where the scenario says. */
  private final class FromAnywhere implements Questions {
    private final Questions real;

    FromAnywhere(Questions real) {
      this.real = real;
    }

    @Override
    public Client client(InetAddress address) {
      return real.client(client.orElse(address));
    }

    @Override
    public Mail mail(Client of, String helo, Optional<EmailAddress> reversePath) {
      return real.mail(of, helo, reversePath);
    }

    @Override
    public Rcpt rcpt(Mail mail, EmailAddress address, RecipientLookup lookup) {
      return real.rcpt(mail, address, lookup);
    }

    @Override
    public Questions only(Set<String> checks) {
      return new FromAnywhere(real.only(checks));
    }
  }
}
