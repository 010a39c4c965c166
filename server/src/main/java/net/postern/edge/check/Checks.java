package net.postern.edge.check;

import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.postern.auth.Spf;
import net.postern.config.ChecksConfig;
import net.postern.config.Reaction;
import net.postern.dns.MapResolver;
import net.postern.dns.Resolver;
import net.postern.dnsbl.BlockLists;
import net.postern.greylist.Greylist;
import net.postern.source.Sources;
import net.postern.tenant.Directory;
import net.postern.tenant.RecipientPolicies;
import net.postern.tenant.RecipientPolicy;

/**
 * All checks, by stage, in the order that decides: when several checks of a stage refuse, the first
 * in the list is the one whose reply the client reads.
 *
 * @param connect before the greeting
 * @param helo at {@code EHLO} and {@code HELO}
 * @param mail at {@code MAIL}
 * @param rcpt at {@code RCPT}, for each recipient
 * @param questions makes what they look at
 */
public record Checks(
    List<Check<Connect>> connect,
    List<Check<Helo>> helo,
    List<Check<Mail>> mail,
    List<Check<Rcpt>> rcpt,
    Questions questions) {

  public Checks {
    connect = List.copyOf(connect);
    helo = List.copyOf(helo);
    mail = List.copyOf(mail);
    rcpt = List.copyOf(rcpt);
  }

  /**
   * What checks ask.
   *
   * @param directory who is whose here
   * @param policies what recipients and customers chose
   * @param resolver answers within seconds
   * @param spf asks with it
   * @param lists block lists and allow lists
   * @param greylist empty: nothing is put off
   * @param self who we are
   * @param rules what the provider set
   * @param sources what is known of clients; without it nothing is asked of them
   */
  public record Parts(
      Directory directory,
      RecipientPolicies policies,
      Resolver resolver,
      Spf spf,
      BlockLists lists,
      Optional<Greylist> greylist,
      Self self,
      Rules rules,
      Optional<SourceParts> sources) {

    /** A server that knows its directory and asks nobody else. */
    public static Parts of(Directory directory) {
      Resolver nobody = new MapResolver();
      return new Parts(
          directory,
          (customer, mailbox) -> RecipientPolicy.NONE,
          nobody,
          new Spf(nobody, Spf.STANDARD_LIMIT, Clock.systemUTC()),
          BlockLists.none(nobody),
          Optional.empty(),
          new Self("localhost", Set.of()),
          new Rules(Integer.MAX_VALUE, ChecksConfig.OnFail.NOTE),
          Optional.empty());
    }

    /** The same with what is known of clients. */
    public Parts with(SourceParts known) {
      return new Parts(
          directory, policies, resolver, spf, lists, greylist, self, rules, Optional.of(known));
    }
  }

  /**
   * What the checks of client addresses ask.
   *
   * @param greetPause zero when no client has to wait for its greeting
   */
  public record SourceParts(
      Sources sources, Duration greetPause, Reaction earlyTalkers, Reaction pipeliningAbuse) {}

  /**
   * Who we are.
   *
   * @param addresses of this machine
   */
  public record Self(String hostname, Set<InetAddress> addresses) {
    public Self {
      addresses = Set.copyOf(addresses);
    }
  }

  /**
   * What the provider set.
   *
   * @param threshold sum of weights from which block lists refuse
   */
  public record Rules(int threshold, ChecksConfig.OnFail spfFail) {}

  /** The list: what is not here does not run. */
  public static Checks inOrder(Parts parts) {
    Rules rules = parts.rules();
    List<Check<Connect>> connect = new ArrayList<>();
    List<Check<Helo>> helo = new ArrayList<>();
    List<Check<Mail>> mail = new ArrayList<>();
    List<Check<Rcpt>> rcpt = new ArrayList<>();
    Optional<SourceParts> known = parts.sources();
    Optional<Sources> sources = known.map(SourceParts::sources);
    connect.add(of(sources, ConnectRate::new, ConnectRate.ABOUT)); // too many connections?
    // Last, since it waits: what others asked the DNS comes in meanwhile.
    connect.add(of(known, GreetPause::new, GreetPause.ABOUT)); // can it wait?
    helo.add(of(known, Pipelining::new, Pipelining.ABOUT)); // does it wait?
    mail.add(of(sources, MessageRate::new, MessageRate.ABOUT)); // too many messages?
    mail.add(new ReverseNameCheck()); // what does the DNS call the client?
    mail.add(new HeloCheck(parts.resolver())); // does it call itself what a server can be called?
    rcpt.add(new RelayControl()); // is the domain ours, or may the client relay?
    rcpt.add(new OwnDomain(parts.directory())); // does a registered server send in its own name?
    rcpt.add(new SenderListCheck()); // does the recipient always, or never, want this sender?
    rcpt.add(of(sources, InternalBlock::new, InternalBlock.ABOUT)); // is it on our own list?
    rcpt.add(of(sources, HarvestWatch::new, HarvestWatch.ABOUT)); // does it try them out?
    rcpt.add(of(sources, RecipientRate::new, RecipientRate.ABOUT)); // too many recipients?
    rcpt.add(new Dnsbl(rules.threshold())); // do block lists name the client?
    rcpt.add(new DomainList(rules.threshold())); // do they name the sender's domains?
    rcpt.add(new HeloForged(parts.self())); // does it say that it is us?
    rcpt.add(new SenderDomainCheck()); // could mail from there be answered?
    rcpt.add(new SpfCheck(rules.spfFail())); // may it send for that domain?
    // Not before: who is refused anyway is not to learn which addresses exist.
    rcpt.add(new KnownRecipient()); // does the user exist?
    rcpt.add(new GreylistCheck(parts.greylist(), sources)); // did it come before?
    Checks all = new Checks(connect, helo, mail, rcpt, new EarlyQuestions(parts, Set.of()));
    return all.asking(all.questions());
  }

  /** A check without what it needs, as where no sources are known: nobody is refused by it. */
  private record Idle<Q>(About about) implements Check<Q> {
    @Override
    public CheckResult check(Q question) {
      return new CheckResult.Pass();
    }
  }

  private static <N, Q> Check<Q> of(Optional<N> needs, Function<N, Check<Q>> make, About about) {
    return needs.map(make).orElseGet(() -> new Idle<>(about));
  }

  private Set<String> names() {
    return all().stream().map(About::name).collect(Collectors.toCollection(TreeSet::new));
  }

  private Checks asking(Questions asked) {
    return new Checks(connect, helo, mail, rcpt, asked.only(names()));
  }

  /** The same with other questions. */
  public Checks with(Questions asked) {
    return new Checks(connect, helo, mail, rcpt, asked);
  }

  /** Whether a check of this name is in the list, and has what it needs. */
  public boolean runs(String name) {
    return stages()
        .anyMatch(check -> !(check instanceof Idle) && check.about().name().equals(name));
  }

  /**
   * The list for users who logged in. Where they connect from, and what their programs call
   * themselves, says nothing about their mail.
   */
  public static Checks ofSubmission(Directory directory) {
    return new Checks(
        List.of(),
        List.of(),
        List.of(new OwnSender(directory)),
        List.of(new RelayControl(), new KnownRecipient()),
        new EarlyQuestions(Parts.of(directory), Set.of()));
  }

  /** Every check's own account, in order. */
  public List<About> all() {
    return stages().<About>map(Check::about).toList();
  }

  private Stream<? extends Check<?>> stages() {
    return Stream.of(connect, helo, mail, rcpt).flatMap(List::stream);
  }

  /**
   * The checks that run.
   *
   * @param on names of checks that are to run though they do not by default
   * @param off names of checks that are not to run
   * @throws IllegalArgumentException for a name that no check has, or that is in both; the message
   *     is for whoever wrote it
   */
  public Checks switched(List<String> on, List<String> off) {
    Set<String> names = names();
    List<String> said = new ArrayList<>(on);
    said.addAll(off);
    for (String name : said) {
      if (!names.contains(name)) {
        throw new IllegalArgumentException(
            "there is no check \"%s\"; there are %s".formatted(name, String.join(", ", names)));
      }
    }
    if (new HashSet<>(said).size() < said.size()) {
      throw new IllegalArgumentException("a check is named twice: " + said);
    }
    Predicate<Check<?>> runs =
        check -> {
          About about = check.about();
          return on.contains(about.name()) || (about.on() && !off.contains(about.name()));
        };
    Checks fewer =
        new Checks(
            connect.stream().filter(runs).toList(),
            helo.stream().filter(runs).toList(),
            mail.stream().filter(runs).toList(),
            rcpt.stream().filter(runs).toList(),
            questions);
    return fewer.asking(questions);
  }
}
