package net.postern.edge;

import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import net.postern.address.EmailAddress;
import net.postern.config.EdgeConfig;
import net.postern.edge.check.Checks;
import net.postern.events.Events;
import net.postern.intake.Intake;
import net.postern.tenant.Directory;

/**
 * What all sessions share.
 *
 * @param hostname our name in greetings
 * @param postmaster who gets mail for {@code postmaster} without a domain (RFC 5321 §4.5.1)
 * @param tarpit where sessions wait that are slowed down
 * @param draining reaches zero when no new transaction may begin
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
    CountDownLatch draining) {

  boolean isDraining() {
    return draining.getCount() == 0;
  }
}
