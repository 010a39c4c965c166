package net.postern.edge;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import net.postern.edge.check.Refusal;
import net.postern.events.MailEvent.Reason;
import net.postern.intake.Envelope;
import net.postern.intake.IntakeResult;
import net.postern.smtp.Reply;
import net.postern.tenant.Recipient;
import net.postern.tenant.Submitter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands a whole message to intake and gives its answer as the reply; DATA and BDAT end here. */
final class Acceptance {
  private static final Logger LOG = LoggerFactory.getLogger(Acceptance.class);

  private Acceptance() {}

  /** Ends the transaction in every case (RFC 5321 §4.1.1.4: buffers are cleared). */
  static SmtpSession.Next finish(
      SmtpSession session, Transaction transaction, MessageBuffer buffer, ContentLimit limit)
      throws IOException {
    List<Recipient> recipients = transaction.recipients();
    if (limit.refusal().isPresent()) {
      return refuse(session, limit.refusal().get(), recipients);
    }
    Optional<byte[]> content = buffer.finish();
    if (content.isEmpty()) {
      return refuse(session, ContentLimit.OUT_OF_MEMORY, recipients);
    }
    Optional<Submitter> sender = transaction.sender();
    byte[] whole = content.get();
    if (sender.isPresent()) {
      switch (Outgoing.prepare(session, sender.get(), transaction.counted(), whole)) {
        case Outgoing.Result.Go(byte[] completed) -> whole = completed;
        case Outgoing.Result.No(Refusal refusal) -> {
          return refuse(session, refusal, recipients);
        }
      }
    }
    IntakeResult result = ask(session, transaction, recipients, whole);
    if (sender.isPresent() && result instanceof IntakeResult.Refused) {
      Outgoing.takeBack(session, sender.get(), transaction.counted());
    }
    return switch (result) {
      case IntakeResult.Accepted accepted -> {
        session.countMessage();
        session.endTransaction();
        yield session.say(Reply.of(250, "2.0.0", "Ok: queued as " + accepted.id()));
      }
      case IntakeResult.Refused refused ->
          refuse(
              session,
              new Refusal(
                  Reply.of(refused.code(), refused.enhanced(), refused.text()),
                  refused.reason(),
                  refused.text(),
                  Optional.empty()),
              recipients);
    };
  }

  private static SmtpSession.Next refuse(
      SmtpSession session, Refusal refusal, List<Recipient> recipients) throws IOException {
    SmtpSession.Next next = session.refuseMessage(refusal, recipients);
    session.endTransaction();
    return next;
  }

  private static IntakeResult ask(
      SmtpSession session, Transaction transaction, List<Recipient> recipients, byte[] content) {
    EdgeContext context = session.context();
    boolean utf8 = transaction.mail().utf8();
    Envelope envelope =
        new Envelope(
            session.identity().client().address(),
            session.identity().name(),
            session.helo(),
            session.protocol(utf8),
            session.connection().tls(),
            transaction.mail().reversePath(),
            recipients,
            utf8,
            session.notes(),
            transaction.question().receivedSpf(context.hostname()),
            context.clock().instant(),
            transaction.sender(),
            session.identity().user().isPresent()
                && context.outbound().map(each -> each.config().hideClient()).orElse(false));
    try {
      return context.intake().accept(envelope, content);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return notTaken(Reason.SHUTTING_DOWN);
    } catch (RuntimeException | Error e) {
      // Whatever went wrong, the client is to hear that its message was not taken.
      LOG.error("intake failed; the client was told to come again", e);
      return notTaken(Reason.INTERNAL);
    }
  }

  private static IntakeResult notTaken(Reason reason) {
    return new IntakeResult.Refused(
        Replies.INTERNAL.code(), Replies.INTERNAL.enhanced(), Replies.INTERNAL.text(), reason);
  }
}
