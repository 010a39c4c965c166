package net.postern.edge.check;

import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.dns.Answer;
import net.postern.dns.Resolver;
import net.postern.events.MailEvent.Stage;

/**
 * Tells the filter of HELO names that no proper mail server has. RFC 5321 §4.1.4 forbids to refuse
 * mail because a name does not check out, so these are notes.
 */
final class HeloCheck implements Check<Mail> {
  static final String NAME = "helo";

  private final Resolver resolver;

  HeloCheck(Resolver resolver) {
    this.resolver = resolver;
  }

  @Override
  public About about() {
    return new About(
        NAME,
        Stage.MAIL,
        true,
        false,
        "Looks at the HELO name: a bare address, another client's address, no full name, a name"
            + " that the DNS does not have. Each is told to the filter.",
        "");
  }

  @Override
  public boolean waits() {
    return true;
  }

  @Override
  public CheckResult check(Mail question) {
    if (!question.client().isPublic()) {
      return new CheckResult.Pass();
    }
    String name = question.helo();
    if (name.startsWith("[")) {
      // RFC 5321 §4.1.3: a literal is fine where a client has no name; it has to be its own.
      return literal(name)
              .filter(address -> address.equals(question.client().address()))
              .isPresent()
          ? new CheckResult.Pass()
          : new CheckResult.Note("HFILTER_HELO_BADIP", name);
    }
    if (isAddress(name)) {
      return new CheckResult.Note("HFILTER_HELO_BAREIP", name);
    }
    Optional<String> domain = EmailAddress.normalDomain(name);
    if (domain.isEmpty() || domain.get().indexOf('.') < 0) {
      return new CheckResult.Note("HFILTER_HELO_NOT_FQDN", name);
    }
    return isMissing(domain.get())
        ? new CheckResult.Note("HFILTER_HELO_NORES_A_OR_MX", name)
        : new CheckResult.Pass();
  }

  private boolean isMissing(String name) {
    Answer<InetAddress> address = resolver.a(name);
    // RFC 8020 §2: what does not exist has no records of any type.
    return address instanceof Answer.NxDomain<InetAddress>
        || (isNone(address) && isNone(resolver.aaaa(name)) && isNone(resolver.mx(name)));
  }

  private static <T> boolean isNone(Answer<T> answer) {
    return answer instanceof Answer.NxDomain<T> || answer instanceof Answer.NoData<T>;
  }

  static boolean isAddress(String name) {
    try {
      return !InetAddress.ofLiteral(name).getHostAddress().isEmpty();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** The address of {@code [192.0.2.1]} or {@code [IPv6:2001:db8::1]}. */
  static Optional<InetAddress> literal(String name) {
    if (!name.startsWith("[") || !name.endsWith("]")) {
      return Optional.empty();
    }
    String inside = name.substring(1, name.length() - 1);
    if (inside.toLowerCase(Locale.ROOT).startsWith("ipv6:")) {
      inside = inside.substring(5);
    }
    try {
      return Optional.of(InetAddress.ofLiteral(inside));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
