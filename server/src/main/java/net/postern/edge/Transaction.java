package net.postern.edge;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.Mail;
import net.postern.smtp.ChunkCheck;
import net.postern.smtp.MailArguments;
import net.postern.tenant.Recipient;
import net.postern.tenant.Submitter;

/** One mail transaction, from MAIL to the end of its message or RSET (RFC 5321 §3.3). */
final class Transaction {
  private final MailArguments mail;
  private final Mail question;
  // Each recipient's checks see the same sender: what they say of it is said once.
  private final Set<CheckResult.Note> notes = new LinkedHashSet<>();
  private final Map<String, Recipient> recipients = new LinkedHashMap<>(4);
  private final Set<String> groups = new HashSet<>(0);
  private int asked;
  private Optional<Submitter> sender = Optional.empty();
  private int counted;
  private Optional<Chunks> chunks = Optional.empty();

  /** The part of a message that came by BDAT so far (RFC 3030 §2). */
  record Chunks(MessageBuffer buffer, ChunkCheck check, ContentLimit limit, long deadline) {}

  /**
   * @param question the same for the checks
   */
  Transaction(MailArguments mail, Mail question) {
    this.mail = mail;
    this.question = question;
  }

  MailArguments mail() {
    return mail;
  }

  Mail question() {
    return question;
  }

  /** Adds what a check wants the filter to know. */
  void note(CheckResult.Note note) {
    notes.add(note);
  }

  List<CheckResult.Note> notes() {
    return List.copyOf(notes);
  }

  /** The reverse-path as text for events, empty for the null reverse-path. */
  String reversePath() {
    return mail.reversePath().map(Object::toString).orElse("");
  }

  /** Adds a recipient; one that is there already is not added twice. */
  void add(Recipient recipient) {
    asked++;
    put(recipient);
  }

  /** Adds the members of a group in its place; who is there already does not come twice. */
  void add(EmailAddress group, List<Recipient> members) {
    asked++;
    groups.add(group.key());
    members.forEach(this::put);
  }

  private void put(Recipient recipient) {
    recipients.putIfAbsent(recipient.address().key(), recipient);
  }

  /**
   * Says who sends to others, for whose account more recipients count.
   *
   * @param recipients {@link #fresh}: a group counts as its members
   */
  void sentBy(Submitter submitter, int recipients) {
    sender = Optional.of(submitter);
    counted += recipients;
  }

  /** How many of some recipients are not there yet. */
  int fresh(List<Recipient> some) {
    return (int)
        some.stream().filter(each -> !recipients.containsKey(each.address().key())).count();
  }

  /** Who sends to others; empty when every recipient is a customer's and nobody logged in. */
  Optional<Submitter> sender() {
    return sender;
  }

  /** Recipients that count for the sender. */
  int counted() {
    return counted;
  }

  boolean has(String key) {
    return groups.contains(key) || recipients.containsKey(key);
  }

  /** How many there would be with more of them: at most, since some may be there. */
  int countWith(int more) {
    return recipients.size() + more;
  }

  /** As the client counts: a group is one. */
  int recipientCount() {
    return asked;
  }

  List<Recipient> recipients() {
    return List.copyOf(recipients.values());
  }

  Optional<Chunks> chunks() {
    return chunks;
  }

  void begin(Chunks begun) {
    chunks = Optional.of(begun);
  }

  /** Gives back the memory of a message that came in part. */
  void release() {
    chunks.ifPresent(c -> c.buffer().release());
    chunks = Optional.empty();
  }
}
