package net.postern.edge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.edge.check.CheckResult;
import net.postern.edge.check.Mail;
import net.postern.edge.check.Pending;
import net.postern.intake.Envelope;
import net.postern.smtp.ChunkCheck;
import net.postern.smtp.MailArguments;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Submitter;

/** One mail transaction, from MAIL to the end of its message or RSET (RFC 5321 §3.3). */
final class Transaction {
  private final MailArguments mail;
  private final Mail question;
  // Each recipient's checks see the same sender: what they say of it is said once.
  private final Map<Remark, Concerned> notes = new LinkedHashMap<>();
  private final Map<String, Recipient> recipients = new LinkedHashMap<>(4);
  private final Set<String> groups = new HashSet<>(0);
  private Optional<Pending<List<CheckResult.Note>>> later = Optional.empty();
  private int asked;
  private Optional<Submitter> sender = Optional.empty();
  private int counted;
  private Optional<Chunks> chunks = Optional.empty();

  /** The part of a message that came by BDAT so far (RFC 3030 §2). */
  record Chunks(MessageBuffer buffer, ChunkCheck check, ContentLimit limit, long deadline) {}

  /** What is said once. */
  private record Remark(String name, String detail) {}

  /** Recipients, by the keys of their addresses. */
  private static final class Concerned {
    final Map<String, String> waived = new HashMap<>(0);
    final Set<String> of = new HashSet<>(0);
  }

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

  /** Adds what a check wants the filter to know of the sender. */
  void note(CheckResult.Note note) {
    notes.putIfAbsent(new Remark(note.name(), note.detail()), new Concerned());
  }

  /** The same, of checks that are asked when there is a recipient for whom the filter is. */
  void noteLater(Pending<List<CheckResult.Note>> more) {
    later = Optional.of(more);
  }

  private void note(CheckResult.Note note, List<Recipient> recipients) {
    if (note.own() && recipients.isEmpty()) {
      return;
    }
    Concerned concerned =
        notes.computeIfAbsent(new Remark(note.name(), note.detail()), remark -> new Concerned());
    for (Recipient recipient : recipients) {
      String key = recipient.address().key();
      if (note.own()) {
        concerned.of.add(key);
      }
      // What is said last counts: by then it is known who gets the mail.
      String why = note.waived().get(key);
      if (why != null) {
        concerned.waived.put(key, why);
      } else {
        concerned.waived.remove(key);
      }
    }
  }

  /** All of them. May wait for others, as for the DNS, for a bounded time. */
  List<Envelope.Note> notes() {
    later.ifPresent(more -> more.await().forEach(this::note));
    List<Envelope.Note> all = new ArrayList<>(notes.size());
    notes.forEach(
        (remark, concerned) ->
            all.add(
                new Envelope.Note(remark.name(), remark.detail(), concerned.waived, concerned.of)));
    return all;
  }

  /** The reverse-path as text for events, empty for the null reverse-path. */
  String reversePath() {
    return mail.reversePath().map(Object::toString).orElse("");
  }

  /**
   * Adds a recipient; one that is there already is not added twice.
   *
   * @param said what checks have to tell the filter for it
   */
  void add(Recipient recipient, List<CheckResult.Note> said) {
    asked++;
    later.ifPresent(Pending::start);
    recipients.putIfAbsent(recipient.address().key(), recipient);
    said.forEach(note -> note(note, List.of(recipient)));
  }

  /**
   * Adds the members of a group in its place. Who is there already does not come twice, and what
   * was said for that one stays as it is.
   *
   * @param said what checks have to tell the filter for it; what is of the recipient is of the
   *     group's customer, and of no other customer's users among the members
   */
  void add(EmailAddress address, RecipientLookup.Group group, List<CheckResult.Note> said) {
    asked++;
    later.ifPresent(Pending::start);
    groups.add(address.key());
    List<Recipient> fresh = new ArrayList<>();
    for (Recipient member : group.members()) {
      if (recipients.putIfAbsent(member.address().key(), member) == null) {
        fresh.add(member);
      }
    }
    List<Recipient> own =
        fresh.stream().filter(each -> each.customer().equals(group.customer())).toList();
    said.forEach(note -> note(note, note.own() ? own : fresh));
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
