package net.postern.mime;

import java.util.List;
import java.util.Optional;

/**
 * The header section of a message or part.
 *
 * @param fields in the order of the message
 * @param start offset of its first byte
 * @param end offset after the last field's line end: where a further field would go
 */
public record Headers(List<HeaderField> fields, int start, int end) {

  public Headers {
    fields = List.copyOf(fields);
  }

  /** The first field of that name, without case. */
  public Optional<HeaderField> first(String name) {
    for (HeaderField field : fields) {
      if (field.is(name)) {
        return Optional.of(field);
      }
    }
    return Optional.empty();
  }

  /** All fields of that name, without case. */
  public List<HeaderField> all(String name) {
    return fields.stream().filter(f -> f.is(name)).toList();
  }

  /** How many fields have that name. */
  public int count(String name) {
    int n = 0;
    for (HeaderField field : fields) {
      if (field.is(name)) {
        n++;
      }
    }
    return n;
  }

  /** Decoded text of the first field of that name; empty text when there is none. */
  public String decoded(String name) {
    return first(name).map(HeaderField::decoded).orElse("");
  }

  /** Mailboxes of every field of that name (From, Reply-To, To, Cc ...). */
  public List<Mailbox> mailboxes(String name) {
    List<HeaderField> found = all(name);
    return switch (found.size()) {
      case 0 -> List.of();
      case 1 -> Mailbox.parseList(found.getFirst().text());
      default -> found.stream().flatMap(f -> Mailbox.parseList(f.text()).stream()).toList();
    };
  }
}
