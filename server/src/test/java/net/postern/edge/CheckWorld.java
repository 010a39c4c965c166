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
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
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
final class CheckWorld implements AutoCloseable {
  private static final Duration BUDGET = Duration.ofSeconds(3);
  private static final Set<InetAddress> OURS =
      Set.of(InetAddress.ofLiteral("192.0.2.250"), InetAddress.ofLiteral("2001:db8::250"));

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
  private volatile BlockLists tended = BlockLists.none(dns);
  private Optional<Database> database = Optional.empty();
  private Optional<Greylist> greylist = Optional.empty();
  private final List<String> off = new ArrayList<>();

  /** Whether the database says what customers and users chose. */
  boolean policiesKnown = true;

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

  /** A check that does not run. */
  void off(String check) {
    off.add(check);
  }

  void choose(String name, String value, boolean byUser) {
    (byUser ? choicesOfUser : choicesOfCustomer).put(name, value);
    if (name.equals("greylist") && database.isEmpty()) {
      database = Optional.of(TestDatabase.open());
      greylist = database.map(each -> new Greylist(each, TestConfig.greylist(), clock));
    }
  }

  @Override
  public void close() {
    database.ifPresent(Database::close);
  }

  /** {@code NAME TYPE VALUE}; {@code none} as value: no such record any more. */
  void zone(String line) {
    String[] words = line.strip().split(" +", 3);
    String name = words[0].toLowerCase(Locale.ROOT);
    List<String> values = zones.computeIfAbsent(name + " " + words[1], key -> new ArrayList<>());
    if (words.length > 2 && words[2].equals("none")) {
      values.clear();
    } else if (words.length > 2 && !values.contains(words[2])) {
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
    // As the node does four times a minute.
    tended.tend();
  }

  Checks checks(Directory directory, Events events, Optional<Checks.SourceParts> sources) {
    BlockLists asked = given.orElseGet(() -> new BlockLists(lists, dns, BUDGET, clock, events));
    asked.tend();
    tended = asked;
    Checks checks =
        Checks.inOrder(
            new Checks.Parts(
                directory,
                policies.orElse(
                    (of, mailbox) -> policiesKnown ? policy(of, mailbox) : RecipientPolicy.UNKNOWN),
                dns,
                new Spf(dns, Spf.STANDARD_LIMIT, clock),
                asked,
                greylist,
                new Checks.Self(TestEdge.HOSTNAME, OURS),
                new Checks.Rules(threshold, spfFail),
                sources));
    Checks running = checks.switched(List.of(), off);
    return running.with(new FromAnywhere(running.questions()));
  }

  // Only the customer of example.org chose anything, and one of its users.
  private RecipientPolicy policy(CustomerId of, Optional<MailboxId> mailbox) {
    if (!of.equals(TestDirectory.CUSTOMER)) {
      return RecipientPolicy.NONE;
    }
    return new RecipientPolicy(
        true,
        mailbox.equals(Optional.of(TestDirectory.ANNA))
            ? new RecipientPolicy.Owner(new SenderList(ofUser), choicesOfUser)
            : RecipientPolicy.Owner.NONE,
        new RecipientPolicy.Owner(new SenderList(ofCustomer), choicesOfCustomer));
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
    public boolean isUnwanted(Client of) {
      return real.isUnwanted(of);
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
