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

  /** Nobody asked: the null reverse-path, a private network, a user, or too many questions. */
  record Unasked() implements SenderDomain {}

  /** It could not be found out. */
  record Unknown(String why) implements SenderDomain {}

  /** Looks a domain up; an address literal needs no DNS. */
  static SenderDomain look(String domain, Resolver resolver) {
    if (domain.startsWith("[")) {
      return new Exists();
    }
    return switch (resolver.mx(domain)) {
      case Answer.Found<MxRecord>(List<MxRecord> exchangers) ->
          exchangers.stream().allMatch(each -> each.host().isEmpty()) ? new NullMx() : new Exists();
      case Answer.Failure<MxRecord>(String why, boolean ours) -> unknown(why, ours);
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
    if (four instanceof Answer.Failure<InetAddress>(String why, boolean ours)) {
      return unknown(why, ours);
    }
    if (six instanceof Answer.Failure<InetAddress>(String why, boolean ours)) {
      return unknown(why, ours);
    }
    return new Missing();
  }

  // A sender does not pay for it that others ask too much of us.
  private static SenderDomain unknown(String why, boolean ours) {
    return ours ? new Unasked() : new Unknown(why);
  }
}
