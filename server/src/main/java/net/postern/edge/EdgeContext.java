package net.postern.edge;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import net.postern.address.EmailAddress;
import net.postern.config.EdgeConfig;
import net.postern.edge.check.Checks;
import net.postern.events.Events;
import net.postern.events.MailEvent.Reason;
import net.postern.events.Reference;
import net.postern.intake.Intake;
import net.postern.smtp.Reply;
import net.postern.submission.Outbound;
import net.postern.tenant.Directory;

/**
 * What all sessions share.
 *
 * @param hostname our name in greetings
 * @param postmaster who gets mail for {@code postmaster} without a domain (RFC 5321 §4.5.1)
 * @param tarpit where sessions wait that are slowed down
 * @param draining reaches zero when no new transaction may begin
 * @param outbound who may send to others; empty where nobody may
 * @param submissionChecks those that run for users who log in
 */
record EdgeContext(
    EdgeConfig config,
    String hostname,
    EmailAddress postmaster,
    Directory directory,
    Checks checks,
    Intake intake,
    Events events,
    InstantSource clock,
    Supplier<SSLContext> tls,
    ReceiveMemory memory,
    Tarpit tarpit,
    CountDownLatch draining,
    Optional<Outbound> outbound,
    Checks submissionChecks) {

  /** The checks of a service. */
  Checks checks(Service service) {
    return service.submission() ? submissionChecks : checks;
  }

  /** A reference for a refusal that happens now. */
  Reference reference(Reason reason) {
    return Reference.of(reason, clock.instant());
  }

  /**
   * The reply with what the sender can quote, or open: {@code edge.explain_url} and the reference.
   */
  Reply explained(Reply reply, Reference reference) {
    List<String> lines = new ArrayList<>(reply.lines());
    lines.add(
        lines.removeLast()
            + config
                .explainUrl()
                .map(url -> " (see " + url + reference + ")")
                .orElseGet(() -> " (ref " + reference + ")"));
    return new Reply(reply.code(), reply.enhanced(), lines);
  }

  boolean isDraining() {
    return draining.getCount() == 0;
  }
}
