package net.postern.edge.check;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
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
import net.postern.tenant.Recipient;
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
            ? Pending.later(() -> ReverseName.verify(address, parts.resolver()))
            : plain.reverseName();
    if (!runs(Dnsbl.NAME)) {
      name.start();
      return new Client(address, name, plain.listings(), false);
    }
    return new Client(address, name, Pending.begin(() -> listings(address, name)), false);
  }

  // The name of one that lists name is of no interest before somebody takes its mail.
  private Listings listings(InetAddress address, Pending<ReverseName> name) {
    boolean wanted = true;
    try {
      Listings said = isRegistered(address) ? Listings.NONE : parts.lists().ask(address);
      wanted = said.score() < parts.rules().threshold();
      return said;
    } finally {
      if (wanted) {
        name.start();
      }
    }
  }

  // When it cannot be said it is a stranger: what recipients chose cannot be said then either, and
  // no check that a recipient may do without refuses.
  private boolean isRegistered(InetAddress address) {
    return parts.directory().registeredServer(address).orElse(Optional.empty()).isPresent();
  }

  @Override
  public Mail mail(Client client, String helo, Optional<EmailAddress> reversePath) {
    Mail plain = new Mail(client, helo, reversePath);
    if (!client.isPublic()) {
      return plain;
    }
    boolean early = !isUnwanted(client);
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

  @Override
  public boolean isUnwanted(Client client) {
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
    boolean ours = mail.client().certified() || isRegistered(mail.client().address());
    Rcpt question = rcpt(mail, address, lookup, mailbox(lookup), ours);
    if (lookup instanceof RecipientLookup.Unasked unasked
        && unasked.mailbox().isEmpty()
        && unasked.shared().isPresent()) {
      return question.or(rcpt(mail, address, lookup, unasked.shared(), ours));
    }
    return lookup instanceof RecipientLookup.Group group ? ofGroup(question, group) : question;
  }

  private Rcpt rcpt(
      Mail mail,
      EmailAddress address,
      RecipientLookup lookup,
      Optional<MailboxId> mailbox,
      boolean ours) {
    RecipientPolicy policy =
        CustomerOf.of(lookup)
            .map(customer -> parts.policies().of(customer, mailbox))
            .orElse(RecipientPolicy.NONE);
    return new Rcpt(
        mail,
        address,
        lookup,
        policy,
        sender(policy, mail),
        ours,
        List.of(),
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  // Whoever gets the mail says whose mail that may be: each member's list is honoured, and that of
  // the member's customer; for the group as a whole its own customer's overrides block lists.
  private Rcpt ofGroup(Rcpt question, RecipientLookup.Group group) {
    Mail mail = question.mail();
    List<RecipientPolicy> policies = parts.policies().of(group.members());
    List<Rcpt.Taker> takers = new ArrayList<>();
    List<Rcpt.LeftOut> leftOut = new ArrayList<>();
    for (int i = 0; i < policies.size(); i++) {
      Recipient member = group.members().get(i);
      RecipientPolicy.Sender theirs = sender(policies.get(i), mail);
      if (theirs instanceof RecipientPolicy.Sender.Blocked blocked) {
        leftOut.add(new Rcpt.LeftOut(member, blocked));
      } else {
        takers.add(new Rcpt.Taker(member, policies.get(i), theirs));
      }
    }
    boolean nobody = takers.isEmpty();
    RecipientPolicy.Sender sender = question.sender();
    if (nobody) {
      sender = leftOut.getFirst().by();
    } else if (sender instanceof RecipientPolicy.Sender.Blocked) {
      sender = new RecipientPolicy.Sender.Unlisted();
    }
    return new Rcpt(
        mail,
        question.address(),
        nobody || leftOut.isEmpty()
            ? group
            : new RecipientLookup.Group(
                group.customer(), takers.stream().map(Rcpt.Taker::member).toList(), group.listed()),
        question.policy(),
        sender,
        question.ours(),
        takers,
        nobody ? List.of() : leftOut,
        Optional.empty(),
        Optional.empty());
  }

  private static RecipientPolicy.Sender sender(RecipientPolicy policy, Mail mail) {
    return policy.sender(
        mail.client().address(), mail.reversePath(), () -> mail.provenDomain().isPresent());
  }

  private static Optional<MailboxId> mailbox(RecipientLookup lookup) {
    return switch (lookup) {
      case RecipientLookup.Found found -> Optional.of(found.recipient().mailbox());
      case RecipientLookup.Unasked unasked -> unasked.mailbox();
      case RecipientLookup.Group _ -> Optional.empty();
      case RecipientLookup.UnknownUser _ -> Optional.empty();
      case RecipientLookup.NotOurs _ -> Optional.empty();
      case RecipientLookup.Unavailable _ -> Optional.empty();
    };
  }
}
