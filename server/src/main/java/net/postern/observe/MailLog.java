package net.postern.observe;

import java.time.Duration;
import java.util.Locale;
import net.postern.config.ObserveConfig.LogFormat;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line for each event, on the logger {@value #LOGGER}: what happened to which message, and why.
 * The line is built on the caller's thread without formatters; writing it is the log's own thread's
 * work.
 */
public final class MailLog implements Events {
  /** Name of the logger, for those who collect these lines apart. */
  public static final String LOGGER = "postern.mail";

  private static final Logger LOG = LoggerFactory.getLogger(LOGGER);

  private final LogFormat format;

  /**
   * @param format the same as {@link Logging} was started with
   */
  public MailLog(LogFormat format) {
    this.format = format;
  }

  @Override
  public void emit(MailEvent event) {
    if (isAlarm(event)) {
      LOG.warn(line(event));
    } else if (LOG.isInfoEnabled()) {
      LOG.info(line(event));
    }
  }

  private static boolean isAlarm(MailEvent event) {
    return (event instanceof MailEvent.StoreHealth health && !health.up())
        || (event instanceof MailEvent.ListHealth list && !list.up())
        || (event instanceof MailEvent.StoreDamage damage && !damage.repaired())
        || (event instanceof MailEvent.DirectoryNotice notice && !notice.well());
  }

  String line(MailEvent event) {
    Fields fields =
        switch (format) {
          case TEXT -> new LogfmtFields();
          case JSON -> new JsonFields();
        };
    write(event, fields);
    return fields.line();
  }

  private static void write(MailEvent event, Fields to) {
    switch (event) {
      case MailEvent.Accepted accepted -> accepted(accepted, to);
      case MailEvent.Refused refused -> refused(refused, to);
      case MailEvent.LoggedIn login -> {
        to.text("event", "login")
            .address("account", login.account())
            .text("customer", login.customer().toString())
            .text("mechanism", login.mechanism());
        peer(login.peer(), to);
      }
      case MailEvent.AuthFailed failed -> {
        to.text("event", "login-failed")
            .address("account", failed.account())
            .text("mechanism", failed.mechanism())
            .text("why", failed.why());
        peer(failed.peer(), to);
      }
      case MailEvent.LoginLocked locked -> {
        to.text("event", "login-locked")
            .address("account", locked.account())
            .text("scope", locked.scope())
            .number("seconds", locked.left().toSeconds());
        peer(locked.peer(), to);
      }
      case MailEvent.LeftOut left -> {
        to.text("event", "left-out")
            .text("customer", left.customer().toString())
            .address("group", left.group())
            .addresses("members", left.members())
            .number("count", left.count())
            .texts("why", left.why());
        peer(left.peer(), to);
        to.address("from", left.reversePath());
      }
      case MailEvent.Held held ->
          to.text("event", "held")
              .text("id", held.message().toString())
              .text("customer", held.customer().toString())
              .address("to", held.recipient())
              .decimal("score", held.score())
              .text("why", held.why());
      case MailEvent.SourceBlocked blocked ->
          to.text("event", "source-blocked")
              .text("source", blocked.source())
              .text("kind", blocked.kind().toLowerCase(Locale.ROOT))
              .text("why", blocked.why())
              .number("offence", blocked.offence())
              .text("until", blocked.until().toString());
      case MailEvent.SourceReleased released ->
          to.text("event", "source-released")
              .text("source", released.source())
              .text("why", released.why());
      case MailEvent.Released released ->
          to.text("event", "released")
              .text("id", released.message().toString())
              .text("customer", released.customer().toString())
              .address("to", released.recipient())
              .text("by", released.by());
      case MailEvent.Removed removed ->
          to.text("event", "removed")
              .text("id", removed.message().toString())
              .text("customer", removed.customer().toString())
              .address("to", removed.recipient())
              .text("rule", removed.rule());
      case MailEvent.Delivered delivered ->
          to.text("event", "delivered")
              .text("id", delivered.message().toString())
              .text("customer", delivered.customer().toString())
              .address("to", delivered.recipient())
              .text("route", delivered.route())
              .text("reply", delivered.reply())
              .number("attempt", delivered.attempt())
              .number("ms", millis(delivered.delay()));
      case MailEvent.Deferred deferred ->
          to.text("event", "deferred")
              .text("id", deferred.message().toString())
              .text("customer", deferred.customer().toString())
              .address("to", deferred.recipient())
              .text("route", deferred.route())
              .text("reply", deferred.reply())
              .number("attempt", deferred.attempt())
              .text("next", deferred.nextAttempt().toString());
      case MailEvent.Returned returned -> {
        to.text("event", "returned")
            .text("id", returned.message().toString())
            .text("customer", returned.customer().toString())
            .address("to", returned.recipient())
            .text("route", returned.route())
            .text("reply", returned.reply())
            .number("attempt", returned.attempt());
        returned.dsn().ifPresent(dsn -> to.text("dsn", dsn.toString()));
      }
      case MailEvent.DirectoryNotice notice ->
          to.text("event", "directory")
              .text("matter", notice.matter().name().toLowerCase(Locale.ROOT))
              .text("customer", notice.customer().toString())
              .text("subject", notice.subject())
              .flag("well", notice.well())
              .text("detail", notice.detail());
      case MailEvent.StoreHealth health ->
          to.text("event", "store")
              .text("store", health.store())
              .flag("up", health.up())
              .text("why", health.why());
      case MailEvent.ListHealth list ->
          to.text("event", "list")
              .text("zone", list.zone())
              .flag("up", list.up())
              .text("why", list.why());
      case MailEvent.StoreDamage damage ->
          to.text("event", "damage")
              .text("store", damage.store())
              .text("object", damage.object())
              .text("damage", damage.damage().toLowerCase(Locale.ROOT))
              .flag("repaired", damage.repaired())
              .text("detail", damage.detail());
      case MailEvent.Scrubbed scrub ->
          to.text("event", "scrubbed")
              .number("objects", scrub.objects())
              .number("bytes", scrub.bytes())
              .number("found", scrub.found())
              .number("repaired", scrub.repaired())
              .number("unrepaired", scrub.unrepaired())
              .flag("full", scrub.full())
              .number("ms", millis(scrub.took()));
    }
  }

  private static void accepted(MailEvent.Accepted accepted, Fields to) {
    to.text("event", "accepted")
        .text("id", accepted.message().toString())
        .text("customer", accepted.customer().toString())
        .address("from", accepted.reversePath())
        .addresses("to", accepted.recipients());
    peer(accepted.peer(), to);
    to.number("bytes", accepted.bytes())
        .text("verdict", accepted.verdict())
        .decimal("score", accepted.score());
    if (!accepted.findings().isEmpty()) {
      to.texts("findings", accepted.findings());
    }
    to.number("copies", accepted.copies()).number("ms", millis(accepted.took()));
  }

  private static void refused(MailEvent.Refused refused, Fields to) {
    to.text("event", "refused")
        .text("stage", refused.stage().name().toLowerCase(Locale.ROOT))
        .text("reason", refused.reason().name().toLowerCase(Locale.ROOT))
        .number("code", refused.code())
        .text("enhanced", refused.enhanced())
        .text("text", refused.text());
    peer(refused.peer(), to);
    to.address("from", refused.reversePath());
    if (!refused.recipient().isEmpty()) {
      to.address("to", refused.recipient());
    }
    refused.customer().ifPresent(customer -> to.text("customer", customer.toString()));
    to.text("ref", refused.reference().toString());
  }

  private static void peer(MailEvent.Peer peer, Fields to) {
    to.text("client", peer.address());
    if (!peer.helo().isEmpty()) {
      to.text("helo", peer.helo());
    }
    if (!peer.tls().isEmpty()) {
      to.text("tls", peer.tls());
    }
  }

  private static long millis(Duration duration) {
    return duration.toMillis();
  }
}
