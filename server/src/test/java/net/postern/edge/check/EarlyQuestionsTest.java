package net.postern.edge.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.address.EmailAddress;
import net.postern.auth.Spf;
import net.postern.auth.SpfResult;
import net.postern.config.ChecksConfig;
import net.postern.dns.Answer;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;
import net.postern.dns.Resolver;
import net.postern.dnsbl.BlockLists;
import net.postern.dnsbl.CodePattern;
import net.postern.dnsbl.Zone;
import net.postern.id.CustomerId;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.RecipientPolicy;
import net.postern.testkit.Await;
import org.junit.jupiter.api.Test;

/** What is asked of whom, and when. */
class EarlyQuestionsTest {
  private static final InetAddress LISTED = InetAddress.ofLiteral("192.0.2.9");
  private static final InetAddress UNLISTED = InetAddress.ofLiteral("192.0.2.10");
  private static final Optional<EmailAddress> SENDER = EmailAddress.parse("ann@sender.example");

  private final Counting dns =
      new Counting(
          new MapResolver()
              .a("2.0.0.127.bl.example", "127.0.0.2")
              .a("9.2.0.192.bl.example", "127.0.0.2")
              .txt("sender.example", "v=spf1 ip4:192.0.2.0/24 -all")
              .mx("sender.example", new MxRecord(10, "mx.sender.example")));

  @Test
  void ofAListedClientsSenderNothingIsAskedUntilSomebodyNeedsIt() {
    Questions questions = questions();
    Client client = questions.client(LISTED);
    assertEquals(7, client.listings().await().score());
    Mail mail = questions.mail(client, "mail.sender.example", SENDER);
    assertFalse(mail.spf().isDone());
    assertFalse(mail.senderDomain().isDone());
    assertFalse(mail.domainListings().isDone());
    assertFalse(dns.asked.contains("sender.example"));
    // A recipient who takes its mail all the same gets every answer.
    assertEquals(SpfResult.Code.PASS, mail.spf().await().orElseThrow().code());
    assertEquals(new SenderDomain.Exists(), mail.senderDomain().await());
    assertEquals(0, mail.domainListings().await().score());
  }

  /** The control. */
  @Test
  void ofOthersItIsAskedAtOnce() {
    Questions questions = questions();
    Client client = questions.client(UNLISTED);
    assertEquals(0, client.listings().await().score());
    Mail mail = questions.mail(client, "mail.sender.example", SENDER);
    Await.until(
        () ->
            mail.spf().isDone() && mail.senderDomain().isDone() && mail.domainListings().isDone());
  }

  private Questions questions() {
    Zone zone =
        new Zone(
            "bl.example",
            Zone.Kind.IP4,
            List.of(
                new Zone.Code(CodePattern.parse("127.0.0.2").orElseThrow(), Optional.of(7), "bad")),
            "",
            "",
            "2.0.0.127",
            "1.0.0.127");
    BlockLists lists =
        new BlockLists(List.of(zone), dns, Duration.ofSeconds(10), Clock.systemUTC(), event -> {});
    lists.tend();
    return Checks.inOrder(
            new Checks.Parts(
                new Nobody(),
                (customer, mailbox) -> RecipientPolicy.NONE,
                dns,
                new Spf(dns, Spf.STANDARD_LIMIT, Clock.systemUTC()),
                lists,
                Optional.empty(),
                new Checks.Self("mx.example.net", Set.of()),
                new Checks.Rules(6, ChecksConfig.OnFail.NOTE),
                Optional.empty()))
        .questions();
  }

  private static final class Nobody implements Directory {
    @Override
    public RecipientLookup lookup(EmailAddress address) {
      return new RecipientLookup.NotOurs();
    }

    @Override
    public Lookup<Optional<CustomerId>> registeredServer(InetAddress client) {
      return Lookup.of(Optional.empty());
    }
  }

  /** Remembers the names that it was asked for. */
  private record Counting(Resolver inner, Set<String> asked) implements Resolver {
    Counting(Resolver inner) {
      this(inner, ConcurrentHashMap.newKeySet());
    }

    @Override
    public Answer<MxRecord> mx(String domain) {
      asked.add(domain);
      return inner.mx(domain);
    }

    @Override
    public Answer<InetAddress> a(String host) {
      asked.add(host);
      return inner.a(host);
    }

    @Override
    public Answer<InetAddress> aaaa(String host) {
      asked.add(host);
      return inner.aaaa(host);
    }

    @Override
    public Answer<String> txt(String name) {
      asked.add(name);
      return inner.txt(name);
    }

    @Override
    public Answer<String> ptr(InetAddress address) {
      return inner.ptr(address);
    }

    @Override
    public Resolver within(Duration limit) {
      return this;
    }
  }
}
