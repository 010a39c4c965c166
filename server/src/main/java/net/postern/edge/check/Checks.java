package net.postern.edge.check;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
   */
  public record Parts(Directory directory) {}

  /** The list: what is not here does not run. */
  public static Checks inOrder(Parts parts) {
    return new Checks(
        List.of(),
        List.of(),
        List.of(),
        List.of(
            new RelayControl(), // is the domain ours, or may the client relay?
            new OwnDomain(parts.directory()), // does a registered server send in its own name?
            new KnownRecipient())); // does the user exist?
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
