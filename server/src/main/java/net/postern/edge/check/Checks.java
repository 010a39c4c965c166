package net.postern.edge.check;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.postern.config.Reaction;
import net.postern.source.Sources;
import net.postern.tenant.Directory;

/**
 * All checks, by stage, in the order that decides: when several checks of a stage refuse, the first
 * in the list is the one whose reply the client reads.
 *
 * @param connect before the greeting
 * @param helo at {@code EHLO} and {@code HELO}
 * @param mail at {@code MAIL}
 * @param rcpt at {@code RCPT}, for each recipient
 */
public record Checks(
    List<Check<Connect>> connect,
    List<Check<Helo>> helo,
    List<Check<Mail>> mail,
    List<Check<Rcpt>> rcpt) {

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
   * @param sources what is known of clients; without it nothing is asked of them
   */
  public record Parts(Directory directory, Optional<SourceParts> sources) {
    public Parts(Directory directory) {
      this(directory, Optional.empty());
    }
  }

  /**
   * What the checks of client addresses ask.
   *
   * @param greetPause zero when no client has to wait for its greeting
   */
  public record SourceParts(
      Sources sources, Duration greetPause, Reaction earlyTalkers, Reaction pipeliningAbuse) {}

  /** The list: what is not here does not run. */
  public static Checks inOrder(Parts parts) {
    List<Check<Connect>> connect = new ArrayList<>();
    List<Check<Helo>> helo = new ArrayList<>();
    List<Check<Mail>> mail = new ArrayList<>();
    List<Check<Rcpt>> rcpt = new ArrayList<>();
    Optional<Sources> sources = parts.sources().map(SourceParts::sources);
    sources.ifPresent(each -> connect.add(new ConnectRate(each))); // too many connections?
    // Last, since it waits: what others asked the DNS comes in meanwhile.
    parts.sources().ifPresent(each -> connect.add(new GreetPause(each))); // can it wait?
    parts.sources().ifPresent(each -> helo.add(new Pipelining(each))); // does it wait?
    sources.ifPresent(each -> mail.add(new MessageRate(each))); // too many messages?
    // Safelists of customers and users have to be asked before the next ones.
    sources.ifPresent(each -> rcpt.add(new InternalBlock(each))); // is it on our own list?
    sources.ifPresent(each -> rcpt.add(new HarvestWatch(each, parts.directory()))); // does it try?
    sources.ifPresent(each -> rcpt.add(new RecipientRate(each))); // too many recipients?
    rcpt.add(new RelayControl()); // is the domain ours, or may the client relay?
    rcpt.add(new OwnDomain(parts.directory())); // does a registered server send in its own name?
    rcpt.add(new KnownRecipient()); // does the user exist?
    return new Checks(connect, helo, mail, rcpt);
  }

  /** Whether a check of this name is in the list. */
  public boolean runs(String name) {
    return all().stream().anyMatch(about -> about.name().equals(name));
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
        List.of(new RelayControl(), new KnownRecipient()));
  }

  /** Every check's own account, in order. */
  public List<About> all() {
    return Stream.of(connect, helo, mail, rcpt)
        .flatMap(List::stream)
        .map(check -> check.about())
        .toList();
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
    Set<String> names =
        all().stream().map(About::name).collect(Collectors.toCollection(TreeSet::new));
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
    return new Checks(
        connect.stream().filter(runs).toList(),
        helo.stream().filter(runs).toList(),
        mail.stream().filter(runs).toList(),
        rcpt.stream().filter(runs).toList());
  }
}
