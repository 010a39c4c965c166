package net.postern.edge;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import net.postern.events.MailEvent.Stage;
import net.postern.events.Reference;
import net.postern.smtp.Reply;

/**
 * Refuses connections that become no session, for one reason. Each reply has a reference; but who
 * floods us is not to fill the log and the trace with it, so that in ten seconds only the first few
 * get one of their own, and an event. The others quote the last of these, and the next event says
 * how many they were. Safe for many threads; never waits.
 */
final class ConnectRefusals {
  private static final Duration SPAN = Duration.ofSeconds(10);

  private final EdgeContext context;
  private final String why;
  private final int burst;

  // Guarded by this.
  private Instant begun = Instant.MIN;
  private int told;
  private long untold;
  private Reply reply;

  /**
   * @param why for the client and for us, a sentence without full stop
   * @param burst refusals of ten seconds that are told
   */
  ConnectRefusals(EdgeContext context, String why, int burst) {
    this.context = context;
    this.why = why;
    this.burst = burst;
    this.reply = Replies.closing("4.7.0", context.hostname(), why);
  }

  /** The reply for a client, of whose refusal is told as far as there is room for it. */
  Reply refuse(InetAddress client) {
    Instant now = context.clock().instant();
    Reference reference;
    long before;
    Reply own;
    synchronized (this) {
      if (begun.isBefore(now.minus(SPAN)) || begun.isAfter(now)) {
        begun = now;
        told = 0;
      }
      if (told >= burst) {
        untold++;
        return reply;
      }
      told++;
      before = untold;
      untold = 0;
      reference = context.reference(Reason.TOO_MANY_CONNECTIONS);
      reply = context.explained(Replies.closing("4.7.0", context.hostname(), why), reference);
      own = reply;
    }
    context
        .events()
        .emit(
            new MailEvent.Refused(
                Stage.CONNECT,
                Reason.TOO_MANY_CONNECTIONS,
                own.code(),
                own.enhanced(),
                why
                    + "."
                    + (before == 0
                        ? ""
                        : " Before it %d more were refused that quote an earlier reference."
                            .formatted(before)),
                new MailEvent.Peer(client.getHostAddress(), "", ""),
                "",
                "",
                Optional.empty(),
                reference));
    return own;
  }
}
