package net.postern.filter;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.filter.content.HtmlText;
import net.postern.filter.content.Link;
import net.postern.filter.content.PhraseBook;
import net.postern.filter.content.TextLinks;
import net.postern.mime.Headers;
import net.postern.mime.Mailbox;
import net.postern.mime.Message;
import net.postern.mime.Part;
import org.jspecify.annotations.Nullable;

/**
 * A message under judgement, parsed once and shared by all stages; what is costly is made when
 * first asked for and kept. One thread.
 */
public final class MailView {
  /** Decoded text looked at in all body parts together, in bytes; the rest is not read. */
  public static final int MAX_TEXT = 256 * 1024;

  /** Body parts looked at. */
  public static final int MAX_TEXT_PARTS = 20;

  private final Sample sample;
  private final Message message;
  private final List<Mailbox> from;

  private @Nullable Body body;
  private @Nullable String subject;
  private @Nullable List<Mailbox> replyTo;
  private @Nullable List<Link> links;
  private PhraseBook.@Nullable Hits phrases;

  /**
   * The text of a message.
   *
   * @param plain text/plain parts joined
   * @param html each text/html part, read
   * @param visible what a reader sees: the HTML's text when there is HTML, else the plain text
   */
  public record Body(String plain, List<HtmlText> html, String visible) {}

  private MailView(Sample sample, Message message) {
    this.sample = sample;
    this.message = message;
    this.from = message.headers().mailboxes("From");
  }

  /** Parses the sample's content. */
  public static MailView of(Sample sample) {
    return new MailView(sample, Message.parse(sample.content()));
  }

  /** The same message as if judged at another instant; nothing is parsed again. */
  public MailView at(Instant now) {
    Sample then =
        new Sample(
            sample.client(),
            sample.helo(),
            sample.reversePath(),
            sample.recipients(),
            sample.content(),
            now,
            sample.dialogue());
    return new MailView(then, message);
  }

  public Sample sample() {
    return sample;
  }

  public Message message() {
    return message;
  }

  public Headers headers() {
    return message.headers();
  }

  /** The clock of this judgement. */
  public Instant now() {
    return sample.now();
  }

  /** Parts with content, those of enclosed messages too. */
  public List<Part> leaves() {
    return message.leaves();
  }

  /** Subject with encoded-words decoded; empty text when there is none. */
  public String subject() {
    if (subject == null) {
      subject = headers().decoded("Subject");
    }
    return subject;
  }

  /** Mailboxes of From. */
  public List<Mailbox> from() {
    return from;
  }

  /** The first address of From that is one. */
  public Optional<EmailAddress> fromAddress() {
    for (Mailbox mailbox : from) {
      if (mailbox.address().isPresent()) {
        return mailbox.address();
      }
    }
    return Optional.empty();
  }

  /** Mailboxes of Reply-To. */
  public List<Mailbox> replyTo() {
    if (replyTo == null) {
      replyTo = headers().mailboxes("Reply-To");
    }
    return replyTo;
  }

  /** The text parts that a mail program shows, bounded. */
  public Body body() {
    if (body == null) {
      body = readBody();
    }
    return body;
  }

  /** Web addresses in text and markup, bounded, in order, with what is shown for them. */
  public List<Link> links() {
    if (links == null) {
      List<Link> found = new ArrayList<>();
      for (HtmlText html : body().html()) {
        found.addAll(html.links());
      }
      if (!body().plain().isEmpty()) {
        TextLinks.find(body().plain(), found);
      }
      links = List.copyOf(found);
    }
    return links;
  }

  /** Phrases of the shipped book that occur in the subject or the visible text. */
  public PhraseBook.Hits phrases() {
    if (phrases == null) {
      phrases = PhraseBook.SHIPPED.find(subject(), body().visible());
    }
    return phrases;
  }

  private Body readBody() {
    StringBuilder plain = new StringBuilder();
    List<HtmlText> html = new ArrayList<>(1);
    StringBuilder visible = new StringBuilder();
    int left = MAX_TEXT;
    int parts = 0;
    for (Part part : message.leaves()) {
      if (left <= 0 || parts == MAX_TEXT_PARTS) {
        break;
      }
      if (!part.isBodyText()) {
        continue;
      }
      parts++;
      String text = part.text(left);
      left -= text.length();
      if (part.type().equals("text/html")) {
        HtmlText read = HtmlText.read(text);
        html.add(read);
        visible.append(read.visible()).append('\n');
      } else if (plain.isEmpty()) {
        plain.append(text);
      } else {
        plain.append('\n').append(text);
      }
    }
    String text = plain.toString();
    // Some HTML parts are empty shells beside the text: both are read then.
    String shown =
        visible.isEmpty() ? text : visible.length() < 200 ? visible + text : visible.toString();
    return new Body(text, List.copyOf(html), shown);
  }
}
