package net.postern.edge.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.config.DatabaseConfig;
import net.postern.config.Reaction;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.id.MessageId;
import net.postern.source.Sources;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Harvesters and people who mistype, over two nodes with one PostgreSQL: the checks of RCPT as a
 * session asks them, ten minutes on a clock that is moved by hand.
 */
class HarvestSimulationTest {
  private static final Instant START = Instant.parse("2026-06-01T08:00:00Z");
  private static final int DOMAINS = 40;
  private static final int USERS = 500;
  private static final int HARVESTERS = 1_000;
  private static final int RECIPIENTS = 200_000;
  private static final int SECONDS = 600;
  private static final String OPEN = "open.example";
  private static final CustomerId CUSTOMER = CustomerId.create();

  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path temp;

  private final ManualClock clock = new ManualClock(START);

  /**
   * Domains d0.example to d39.example, with a postmaster and user0 to user499 in each; open.example
   * takes everything.
   */
  private static final Directory DIRECTORY =
      new Directory() {
        @Override
        public RecipientLookup lookup(EmailAddress address) {
          if (address.domain().equals(OPEN)) {
            return new RecipientLookup.Found(recipient(address), "");
          }
          return exists(address)
              ? new RecipientLookup.Found(
                  recipient(address), address.key().replaceFirst("\\+[^@]*", ""))
              : new RecipientLookup.UnknownUser(CUSTOMER);
        }

        private Recipient recipient(EmailAddress address) {
          return new Recipient(
              address,
              CUSTOMER,
              new MailboxId(
                  UUID.nameUUIDFromBytes(address.key().getBytes(StandardCharsets.UTF_8))));
        }

        @Override
        public Lookup<Optional<CustomerId>> registeredServer(InetAddress client) {
          return Lookup.of(Optional.empty());
        }
      };

  private final class Node implements AutoCloseable {
    final Database database;
    final Sources sources;
    final Checks checks;

    Node(DatabaseConfig config) throws Exception {
      database = Database.open(config, temp);
      sources =
          new Sources(TestConfig.limits(), List.of(), new byte[32], database, event -> {}, clock);
      checks =
          Checks.inOrder(
              Checks.Parts.of(DIRECTORY)
                  .with(
                      new Checks.SourceParts(
                          sources, Duration.ofSeconds(2), Reaction.REFUSE, Reaction.NOTE)));
    }

    /** The reason of the refusal; empty when the recipient is taken. */
    Optional<Reason> rcpt(InetAddress client, EmailAddress recipient) {
      Mail mail = new Mail(new Client(client), "client.example", Optional.empty());
      Rcpt question = new Rcpt(mail, recipient, DIRECTORY.lookup(recipient));
      Optional<Reason> refused =
          CheckRun.ask(checks.rcpt(), question, note -> {}).map(each -> each.refusal().reason());
      if (refused.isPresent()) {
        sources.emit(
            new MailEvent.Refused(
                MailEvent.Stage.RCPT,
                refused.get(),
                550,
                "5.0.0",
                "No.",
                new MailEvent.Peer(client.getHostAddress(), "", ""),
                "",
                recipient.toString(),
                Optional.empty(),
                Reference.of(refused.get(), clock.instant())));
      }
      return refused;
    }

    @Override
    public void close() {
      database.close();
    }
  }

  private record Attempt(InetAddress client, EmailAddress recipient) {}

  private static boolean exists(EmailAddress address) {
    return address.localPart().startsWith("user")
        || address.localPart().startsWith("postmaster")
        || address.domain().equals(OPEN);
  }

  /**
   * What a harvester asks for: one in ten is a user that it guessed or knew, others that certainly
   * exist stand between the guesses of every second one, to look like someone who mistypes.
   */
  private static EmailAddress wanted(int harvester, Random random) {
    int domain = random.nextInt(DOMAINS);
    EmailAddress guess =
        address(
            random.nextInt(10) == 0
                ? "user" + random.nextInt(USERS)
                : "john.smith" + random.nextInt(1_000_000_000),
            domain);
    if (random.nextInt(3) == 0) {
      return guess;
    }
    return switch (harvester % 8) {
      case 0 -> address("postmaster+" + random.nextInt(1_000_000), domain);
      case 2 -> address("user" + harvester % USERS, harvester % DOMAINS);
      case 4 -> address("user7+" + random.nextInt(1_000_000), 3);
      case 6 -> new EmailAddress("any" + random.nextInt(1_000_000), OPEN);
      default -> guess;
    };
  }

  private static EmailAddress address(String local, int domain) {
    return new EmailAddress(local, "d" + domain + ".example");
  }

  private static InetAddress harvester(int number) {
    return InetAddress.ofLiteral(
        number % 5 == 0
            ? "2001:db8:%x::7".formatted(number)
            : "198.%d.%d.%d".formatted(18 + number % 2, number % 250, 1 + number / 250));
  }

  // In networks where harvesters are too.
  private static InetAddress sender(int number) {
    return InetAddress.ofLiteral("198.%d.%d.%d".formatted(18 + number % 2, number, 200));
  }

  private static List<Attempt> legitimate(Random random) {
    List<Attempt> all = new ArrayList<>();
    for (int sender = 0; sender < 20; sender++) {
      boolean newsletter = sender == 0;
      int recipients = newsletter ? 1_000 : 50 + random.nextInt(51);
      int mistyped = newsletter ? 100 : 1 + random.nextInt(3);
      List<Attempt> mine = new ArrayList<>();
      for (int i = 0; i < recipients; i++) {
        EmailAddress to =
            i < mistyped
                ? address("usr" + random.nextInt(1_000_000), random.nextInt(DOMAINS))
                : address("user" + random.nextInt(USERS), random.nextInt(DOMAINS));
        mine.add(new Attempt(sender(sender), to));
      }
      all.addAll(mine);
    }
    return all;
  }

  @Test
  void allHarvestersAreBlockedAndNobodyElse() throws Exception {
    Random random = new Random(4);
    DatabaseConfig config = TestDatabase.config();
    try (Node one = new Node(config);
        Node two = new Node(config)) {
      List<Node> nodes = List.of(one, two);
      for (Node node : nodes) {
        node.sources.exchange();
      }
      // Half of those with a right to be here have been here before.
      for (int sender = 0; sender < 20; sender += 2) {
        for (int i = 0; i < 30; i++) {
          one.sources.emit(accepted(sender(sender)));
        }
      }
      List<Attempt> attempts = legitimate(random);
      Set<InetAddress> senders = new HashSet<>();
      attempts.forEach(each -> senders.add(each.client()));
      assertEquals(20, senders.size());
      int next = 0;
      while (attempts.size() < RECIPIENTS) {
        int number = next++ % HARVESTERS;
        attempts.add(new Attempt(harvester(number), wanted(number, random)));
      }
      java.util.Collections.shuffle(attempts, random);
      Map<InetAddress, Integer> answered = new HashMap<>();
      Map<InetAddress, Instant> blocked = new HashMap<>();
      Set<InetAddress> late = new HashSet<>();
      int deferredLegitimate = 0;
      int done = 0;
      for (int second = 1; second <= SECONDS; second++) {
        for (; done < (long) RECIPIENTS * second / SECONDS; done++) {
          Attempt attempt = attempts.get(done);
          boolean unknown = !exists(attempt.recipient());
          Optional<Reason> refused =
              nodes.get(random.nextInt(2)).rcpt(attempt.client(), attempt.recipient());
          boolean byBlock = refused.equals(Optional.of(Reason.SOURCE_BLOCKED));
          Instant now = clock.instant();
          if (byBlock) {
            blocked.putIfAbsent(attempt.client(), now);
          } else if (blocked.containsKey(attempt.client())
              && now.isAfter(blocked.get(attempt.client()).plusSeconds(5))) {
            late.add(attempt.client());
          }
          if (senders.contains(attempt.client())) {
            assertTrue(!byBlock, attempt + " was blocked");
            deferredLegitimate += refused.equals(Optional.of(Reason.HARVESTING)) ? 1 : 0;
          } else if (unknown && !byBlock) {
            answered.merge(attempt.client(), 1, Integer::sum);
          }
        }
        clock.advance(Duration.ofSeconds(1));
        for (Node node : nodes) {
          node.sources.exchange();
        }
      }
      assertEquals(RECIPIENTS, done);
      int most = answered.values().stream().mapToInt(each -> each).max().orElseThrow();
      System.out.printf(
          "harvest: %d of %d blocked, before that at most %d unknown recipients each, mean %.1f;"
              + " %d recipients of legitimate senders deferred%n",
          blocked.size(),
          HARVESTERS,
          most,
          answered.values().stream().mapToInt(each -> each).average().orElseThrow(),
          deferredLegitimate);
      assertEquals(HARVESTERS, blocked.size(), "harvesters that were blocked");
      // Beside these the one that it was blocked for.
      assertTrue(most < 10, "one asked for " + most + " unknown recipients");
      assertEquals(Set.of(), late, "served by a node five seconds after the block");
      assertTrue(deferredLegitimate <= 20, deferredLegitimate + " deferred");
      for (Node node : nodes) {
        assertTrue(node.sources.blockedNow() >= HARVESTERS);
      }
      // All of it expires by itself.
      clock.advance(Duration.ofHours(1));
      for (Node node : nodes) {
        node.sources.exchange();
        assertEquals(0, node.sources.blockedNow());
        assertEquals(0, node.sources.suspects());
      }
      returning(nodes);
    }
  }

  // One that comes back is blocked for 2, 4, 8 ... hours, up to 30 days.
  private void returning(List<Node> nodes) throws Exception {
    InetAddress client = harvester(1);
    long hours = 1;
    for (int time = 2; time <= 12; time++) {
      clock.advance(Duration.ofHours(1));
      hours = Math.min(720, hours * 2);
      Node node = nodes.get(time % 2);
      int asked = 0;
      while (node.sources.blocked(client).isEmpty()) {
        assertTrue(++asked <= 10, "asked for " + asked);
        Optional<Reason> refused = node.rcpt(client, address("mary" + time + "." + asked, 1));
        assertTrue(refused.isPresent());
      }
      var block = node.sources.blocked(client).orElseThrow();
      assertEquals(Duration.ofHours(hours), Duration.between(block.since(), block.until()));
      // Told in one turn, heard in the next.
      for (int turn = 0; turn < 2; turn++) {
        for (Node each : nodes) {
          each.sources.exchange();
        }
      }
      assertEquals(Optional.of(block), nodes.get((time + 1) % 2).sources.blocked(client));
      clock.advance(Duration.ofHours(hours));
      for (Node each : nodes) {
        each.sources.exchange();
        assertEquals(0, each.sources.blockedNow());
      }
    }
  }

  /** Five hundred sources with two recipients each, all at one domain. */
  @Test
  void anAttackFromManySourcesOnOneDomainIsSeenThere() throws Exception {
    Random random = new Random(5);
    DatabaseConfig config = TestDatabase.config();
    try (Node one = new Node(config);
        Node two = new Node(config)) {
      List<Node> nodes = List.of(one, two);
      for (Node node : nodes) {
        node.sources.exchange();
      }
      usualMail(nodes, random);
      int learned = 0;
      int lateLearned = 0;
      for (int source = 0; source < 500; source++) {
        InetAddress client = harvester(source);
        for (int i = 0; i < 2; i++) {
          Optional<Reason> refused =
              nodes.get(random.nextInt(2)).rcpt(client, address("kate" + source + "." + i, 7));
          int told = refused.equals(Optional.of(Reason.UNKNOWN_USER)) ? 1 : 0;
          learned += told;
          lateLearned += source >= 50 ? told : 0;
        }
        if (source % 5 == 4) {
          clock.advance(Duration.ofSeconds(1));
          for (Node node : nodes) {
            node.sources.exchange();
          }
        }
      }
      assertTrue(learned <= 100, learned + " answers told what exists");
      assertEquals(0, lateLearned, "answers told what exists after 50 sources");
      // Both recipients may have been asked for at different nodes at one moment; then the next
      // ends
      // it.
      for (int turn = 0; turn < 2; turn++) {
        for (Node node : nodes) {
          node.sources.exchange();
        }
      }
      int blocked = 0;
      for (int source = 50; source < 500; source++) {
        Optional<Reason> refused = one.rcpt(harvester(source), address("kate." + source, 7));
        blocked += refused.equals(Optional.of(Reason.SOURCE_BLOCKED)) ? 1 : 0;
      }
      System.out.printf(
          "distributed: %d of 1,000 answers told that a recipient does not exist, %d of 450 blocked%n",
          learned, blocked);
      assertEquals(450, blocked);
      // The controls: someone new who writes to that domain meanwhile, and one who mistypes
      // elsewhere.
      assertEquals(Optional.empty(), one.rcpt(sender(3), address("user1", 7)));
      assertEquals(Optional.of(Reason.UNKNOWN_USER), one.rcpt(sender(3), address("usr1", 7)));
      assertEquals(Optional.of(Reason.UNKNOWN_USER), one.rcpt(sender(4), address("usr1", 8)));
      assertEquals(Optional.of(Reason.UNKNOWN_USER), one.rcpt(sender(4), address("usr2", 8)));
      // It ends when the attack does.
      clock.advance(Duration.ofMinutes(10));
      assertEquals(Optional.of(Reason.UNKNOWN_USER), one.rcpt(sender(5), address("usr3", 7)));
      assertEquals(Optional.of(Reason.UNKNOWN_USER), one.rcpt(sender(5), address("usr4", 7)));
    }
  }

  private void usualMail(List<Node> nodes, Random random) throws Exception {
    for (int i = 0; i < 500; i++) {
      InetAddress client = InetAddress.ofLiteral("203.0.113." + random.nextInt(250));
      var _ = nodes.get(random.nextInt(2)).rcpt(client, address("user" + random.nextInt(USERS), 7));
    }
    clock.advance(Duration.ofMinutes(15));
    for (Node node : nodes) {
      node.sources.exchange();
    }
  }

  /** What the checks cost a recipient that is taken. */
  @Test
  void aGoodRecipientCostsMicroseconds() throws Exception {
    try (Node node = new Node(TestDatabase.config())) {
      node.sources.exchange();
      List<Rcpt> questions = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) {
        EmailAddress recipient = address("user" + i % USERS, i % DOMAINS);
        Mail mail = new Mail(new Client(sender(i % 250)), "client.example", Optional.empty());
        questions.add(new Rcpt(mail, recipient, DIRECTORY.lookup(recipient)));
      }
      List<Check<Rcpt>> checks = node.checks.rcpt();
      long best = Long.MAX_VALUE;
      for (int round = 0; round < 30; round++) {
        clock.advance(Duration.ofMinutes(3));
        long start = System.nanoTime();
        for (Rcpt question : questions) {
          assertEquals(Optional.empty(), CheckRun.ask(checks, question, note -> {}));
        }
        best = Math.min(best, System.nanoTime() - start);
      }
      double micros = best / 1_000.0 / questions.size();
      System.out.printf(
          "a good recipient: %.2f microseconds for %d checks%n", micros, checks.size());
      assertTrue(micros < 100, micros + " microseconds");
    }
  }

  private static MailEvent accepted(InetAddress client) {
    return new MailEvent.Accepted(
        MessageId.create(),
        CUSTOMER,
        new MailEvent.Peer(client.getHostAddress(), "", ""),
        "",
        List.of("user1@d1.example"),
        1_000,
        "PASS",
        "PASS",
        0,
        List.of(),
        3,
        Duration.ofMillis(1));
  }
}
