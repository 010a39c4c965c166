package net.postern.edge;

import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import net.postern.address.EmailAddress;
import net.postern.config.EdgeConfig;
import net.postern.edge.check.Checks;
import net.postern.events.Events;
import net.postern.intake.Intake;
import net.postern.submission.Outbound;
import net.postern.tenant.Directory;

/**
 * What all sessions share.
 *
 * @param hostname our name in greetings
 * @param postmaster who gets mail for {@code postmaster} without a domain (RFC 5321 §4.5.1)
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
    CountDownLatch draining,
    Optional<Outbound> outbound,
    Checks submissionChecks) {

  /** The checks of a service. */
  Checks checks(Service service) {
    return service.submission() ? submissionChecks : checks;
  }

  boolean isDraining() {
    return draining.getCount() == 0;
  }
}
