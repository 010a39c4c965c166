package net.postern.mime;

import java.util.ArrayList;
import java.util.List;

/**
 * A message as parsed: its tree of parts and what was wrong with it.
 *
 * @param content the bytes given to {@link #parse}, not copied and not to be changed
 * @param root the message itself; its headers are the message's
 * @param leaves every part with content of its own, in order, those of enclosed messages too
 * @param defects in the order found, bounded; offsets inside an enclosed message under base64 count
 *     from the start of that message
 */
public record Message(byte[] content, Part root, List<Part> leaves, List<Defect.At> defects) {

  public Message {
    leaves = List.copyOf(leaves);
    defects = List.copyOf(defects);
  }

  /** Parses with the usual limits. Never fails, whatever the bytes. */
  public static Message parse(byte[] content) {
    return parse(content, ParseLimits.DEFAULT);
  }

  /** Parses; time and memory are linear in the size of the content. Never fails. */
  public static Message parse(byte[] content, ParseLimits limits) {
    DefectLog log = new DefectLog(limits.maxDefects());
    Part root = new MimeParser(content, limits, log).parse();
    List<Part> leaves = new ArrayList<>();
    collect(root, leaves);
    return new Message(content, root, leaves, log.list());
  }

  /** The header section of the message. */
  public Headers headers() {
    return root.headers();
  }

  /** Whether a defect was found. */
  public boolean has(Defect defect) {
    for (Defect.At at : defects) {
      if (at.defect() == defect) {
        return true;
      }
    }
    return false;
  }

  private static void collect(Part part, List<Part> leaves) {
    if (part.isLeaf()) {
      leaves.add(part);
      return;
    }
    for (Part child : part.children()) {
      collect(child, leaves);
    }
  }
}
