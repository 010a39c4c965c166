package net.postern.mime;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.address.EmailAddress;

/**
 * A mailbox of an address header (RFC 5322 §3.4).
 *
 * @param name display name, quotes and encoded-words undone; empty when there is none
 * @param text the address as written
 * @param address empty when the text is no address
 */
public record Mailbox(String name, String text, Optional<EmailAddress> address) {
  /** Most mailboxes read from one field. */
  public static final int MAX_MAILBOXES = 5000;

  /**
   * Reads an address list: groups are flattened, comments serve as names when there is no other,
   * and what does not parse is kept as text. Never fails. Linear.
   *
   * @param text unfolded, encoded-words not yet decoded (RFC 2047 §6.2: parse first)
   */
  public static List<Mailbox> parseList(String text) {
    List<Mailbox> out = new ArrayList<>(2);
    StringBuilder words = new StringBuilder();
    StringBuilder comment = new StringBuilder();
    String angle = "";
    boolean hasAngle = false;
    int end = text.length();
    int i = 0;
    while (i <= end && out.size() < MAX_MAILBOXES) {
      char c = i < end ? text.charAt(i) : ',';
      switch (c) {
        case '"' -> {
          i = quoted(text, i, words);
          continue;
        }
        case '(' -> {
          i = comment(text, i, comment);
          continue;
        }
        case '<' -> {
          int close = angleEnd(text, i);
          if (!hasAngle) {
            angle = text.substring(i + 1, close).trim();
          }
          hasAngle = true;
          i = Math.min(end, close + 1);
          if (i >= end) {
            add(out, words, comment, angle, true);
            return out;
          }
          continue;
        }
        case ',', ';' -> {
          add(out, words, comment, angle, hasAngle);
          words.setLength(0);
          comment.setLength(0);
          angle = "";
          hasAngle = false;
        }
        case ':' -> {
          // A group's name (RFC 5322 §3.4); but "Re: me <a@b>" and "mailto:a@b" are in use too.
          words.setLength(0);
        }
        default -> words.append(c < ' ' ? ' ' : c);
      }
      i++;
    }
    return out;
  }

  private static void add(
      List<Mailbox> out,
      StringBuilder words,
      StringBuilder comment,
      String angle,
      boolean hasAngle) {
    String phrase = words.toString().trim();
    if (!hasAngle && phrase.isEmpty()) {
      return;
    }
    String address = hasAngle ? withoutRoute(angle) : phrase;
    String name = hasAngle ? phrase : "";
    if (name.isEmpty()) {
      name = comment.toString().trim();
    }
    out.add(new Mailbox(EncodedWords.decode(name), address, EmailAddress.parse(address)));
  }

  /** RFC 5322 §4.4: {@code <@a,@b:user@c>}. */
  private static String withoutRoute(String angle) {
    int colon = angle.startsWith("@") ? angle.indexOf(':') : -1;
    return colon < 0 ? angle : angle.substring(colon + 1).trim();
  }

  private static int angleEnd(String text, int open) {
    boolean quoted = false;
    for (int i = open + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && quoted) {
        i++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == '>' && !quoted) {
        return i;
      }
    }
    return text.length();
  }

  /** A quoted string; one before an {@code @} keeps its quotes, being a local part. */
  private static int quoted(String text, int open, StringBuilder out) {
    StringBuilder inner = new StringBuilder();
    int i = open + 1;
    while (i < text.length()) {
      char c = text.charAt(i++);
      if (c == '"') {
        break;
      }
      if (c == '\\' && i < text.length()) {
        c = text.charAt(i++);
      }
      inner.append(c);
    }
    if (i < text.length() && text.charAt(i) == '@') {
      out.append(text, open, i);
    } else {
      out.append(inner);
    }
    return i;
  }

  private static int comment(String text, int open, StringBuilder out) {
    int depth = 0;
    int i = open;
    while (i < text.length()) {
      char c = text.charAt(i++);
      if (c == '\\' && i < text.length()) {
        out.append(text.charAt(i++));
      } else if (c == '(') {
        if (depth++ > 0) {
          out.append(c);
        }
      } else if (c == ')') {
        if (--depth == 0) {
          return i;
        }
        out.append(c);
      } else {
        out.append(c);
      }
    }
    return i;
  }
}
