package net.postern.edge.check;

import java.net.InetAddress;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import net.postern.address.EmailAddress;
import net.postern.auth.SpfQuestion;
import net.postern.dns.ReverseName;
import net.postern.dnsbl.Listings;
import net.postern.filter.content.Domains;
import net.postern.id.MailboxId;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.RecipientPolicy;

/**
 * {@link Questions} that ask the DNS, the lists and the database. Nobody is asked about clients in
 * private networks.
 */
final class EarlyQuestions implements Questions {
  private final Checks.Parts parts;
  private final Set<String> checks;

  EarlyQuestions(Checks.Parts parts, Set<String> checks) {
    this.parts = parts;
    this.checks = Set.copyOf(checks);
  }

  @Override
  public Questions only(Set<String> running) {
    return new EarlyQuestions(parts, running);
  }

  private boolean runs(String... names) {
    for (String name : names) {
      if (checks.contains(name)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public Client client(InetAddress address) {
    Client plain = new Client(address);
    if (!plain.isPublic()) {
      return plain;
    }
    Pending<ReverseName> name =
        runs(ReverseNameCheck.NAME, DomainList.NAME, GreylistCheck.NAME)
            ? Pending.begin(() -> ReverseName.verify(address, parts.resolver()))
            : plain.reverseName();
    Pending<Listings> listings =
        runs(Dnsbl.NAME)
            ? Pending.begin(
                () ->
                    parts.directory().registeredServer(address).isPresent()
                        ? Listings.NONE
                        : parts.lists().ask(address))
            : plain.listings();
    return new Client(address, name, listings);
  }

  @Override
  public Mail mail(Client client, String helo, Optional<EmailAddress> reversePath) {
    Mail plain = new Mail(client, helo, reversePath);
    if (!client.isPublic()) {
      return plain;
    }
    // Who is listed is refused by nearly everybody, and whoever does take the mail can still ask.
    boolean early = !isListed(client);
    // Always: a safelist may depend on it.
    var spf =
        runs(SpfCheck.NAME, SenderListCheck.NAME, GreylistCheck.NAME)
            ? pending(
                early,
                () ->
                    Optional.of(
                        parts
                            .spf()
                            .check(
                                SpfQuestion.mailFrom(
                                    client.address(), reversePath, helo, parts.self().hostname()))))
            : plain.spf();
    var domain =
        runs(SenderDomainCheck.NAME) && reversePath.isPresent()
            ? pending(early, () -> SenderDomain.look(reversePath.get().domain(), parts.resolver()))
            : plain.senderDomain();
    var listings =
        runs(DomainList.NAME)
            ? pending(early, () -> parts.lists().ask(names(client, helo, reversePath)))
            : plain.domainListings();
    return new Mail(client, helo, reversePath, spf, domain, listings, plain.submitter());
  }

  private boolean isListed(Client client) {
    return client
        .listings()
        .now()
        .filter(listings -> listings.score() >= parts.rules().threshold())
        .isPresent();
  }

  private static <T> Pending<T> pending(boolean early, Supplier<T> question) {
    return early ? Pending.begin(question) : Pending.later(question);
  }

  // Lists have registered domains, and hosts of those that only let others in.
  private static Set<String> names(Client client, String helo, Optional<EmailAddress> reversePath) {
    Set<String> names = new LinkedHashSet<>();
    reversePath.map(EmailAddress::domain).ifPresent(domain -> add(names, domain));
    EmailAddress.normalDomain(helo).ifPresent(domain -> add(names, domain));
    add(names, client.verifiedName());
    return names;
  }

  private static void add(Set<String> names, String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    names.add(Domains.registered(lower));
    names.add(lower);
  }

  @Override
  public Rcpt rcpt(Mail mail, EmailAddress address, RecipientLookup lookup) {
    RecipientPolicy policy =
        CustomerOf.of(lookup)
            .map(customer -> parts.policies().of(customer, mailbox(lookup)))
            .orElse(RecipientPolicy.NONE);
    RecipientPolicy.Sender sender =
        policy.sender(
            mail.client().address(), mail.reversePath(), () -> mail.provenDomain().isPresent());
    boolean ours = parts.directory().registeredServer(mail.client().address()).isPresent();
    return new Rcpt(mail, address, lookup, policy, sender, ours, Optional.empty());
  }

  private static Optional<MailboxId> mailbox(RecipientLookup lookup) {
    return lookup instanceof RecipientLookup.Found found
        ? Optional.of(found.recipient().mailbox())
        : Optional.empty();
  }
}
