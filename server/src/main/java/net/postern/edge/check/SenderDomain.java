package net.postern.edge.check;

import java.net.InetAddress;
import java.util.List;
import net.postern.dns.Answer;
import net.postern.dns.MxRecord;
import net.postern.dns.Resolver;

/** Whether a reply, or a report, to a domain could be delivered. */
public sealed interface SenderDomain {

  /** It could. */
  record Exists() implements SenderDomain {}

  /** There is no such domain, or it has neither mail exchangers nor addresses. */
  record Missing() implements SenderDomain {}

  /** It says that it takes no mail (RFC 7505 §3), so that nobody writes in its name. */
  record NullMx() implements SenderDomain {}

  /** Nobody asked, or answered: the null reverse-path, a private network, a user, silence. */
  record Unasked() implements SenderDomain {}

  /** A name server said that it cannot be found out now. */
  record Unknown(String why) implements SenderDomain {}

  /** Looks a domain up; an address literal needs no DNS. */
  static SenderDomain look(String domain, Resolver resolver) {
    if (domain.startsWith("[")) {
      return new Exists();
    }
    return switch (resolver.mx(domain)) {
      case Answer.Found<MxRecord>(List<MxRecord> exchangers) ->
          exchangers.stream().allMatch(each -> each.host().isEmpty()) ? new NullMx() : new Exists();
      case Answer.Failure<MxRecord>(String why, Answer.Cause cause) -> unknown(why, cause);
      // RFC 5321 §5.1: without MX, the addresses of the domain are its mail exchanger.
      case Answer.NoData<MxRecord> _, Answer.NxDomain<MxRecord> _ -> addresses(domain, resolver);
    };
  }

  private static SenderDomain addresses(String domain, Resolver resolver) {
    Answer<InetAddress> four = resolver.a(domain);
    if (four instanceof Answer.Found<InetAddress>) {
      return new Exists();
    }
    Answer<InetAddress> six = resolver.aaaa(domain);
    if (six instanceof Answer.Found<InetAddress>) {
      return new Exists();
    }
    if (four instanceof Answer.Failure<InetAddress>(String why, Answer.Cause cause)) {
      return unknown(why, cause);
    }
    if (six instanceof Answer.Failure<InetAddress>(String why, Answer.Cause cause)) {
      return unknown(why, cause);
    }
    return new Missing();
  }

  // Silence may be that of our own servers, and a sender does not pay for it that others ask too
  // much of us: only who has servers that say so cannot be found.
  private static SenderDomain unknown(String why, Answer.Cause cause) {
    return cause == Answer.Cause.SAID ? new Unknown(why) : new Unasked();
  }
}
