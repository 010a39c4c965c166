package net.postern.mime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** Calls everything on a message and checks what must hold for all of them. */
final class MimeChecks {
  private MimeChecks() {}

  static void parseAndCheck(byte[] bytes) {
    Message message = Message.parse(bytes);
    assertEquals(bytes, message.content());
    Set<String> paths = new HashSet<>();
    for (Part leaf : message.leaves()) {
      assertTrue(paths.add(leaf.path()), () -> "path twice: " + leaf.path());
      leaf.text(1000);
      leaf.fileName();
      assertEquals(leaf.digest().bytes(), leaf.decoded(Integer.MAX_VALUE - 8).length);
    }
    check(message.root(), 0);
    for (HeaderField field : message.headers().fields()) {
      assertTrue(field.start() < field.valueStart() && field.valueStart() <= field.end());
      assertTrue(field.end() <= bytes.length);
      field.decoded();
      Mailbox.parseList(field.text());
      MailDate.parse(field.text());
    }
    assertTrue(message.defects().size() <= ParseLimits.DEFAULT.maxDefects() + 1);
    for (Defect.At at : message.defects()) {
      assertTrue(at.offset() >= 0);
    }
  }

  private static void check(Part part, int depth) {
    assertTrue(depth <= ParseLimits.DEFAULT.maxDepth());
    assertTrue(part.headers().start() >= 0);
    assertTrue(part.headers().end() <= part.buffer().length);
    assertTrue(part.bodyStart() >= part.headers().end(), part::toString);
    assertTrue(part.bodyStart() <= part.bodyEnd(), part::toString);
    assertTrue(part.bodyEnd() <= part.buffer().length, part::toString);
    int last = 0;
    for (Part child : part.children()) {
      if (Arrays.equals(child.buffer(), part.buffer())) {
        assertTrue(child.headers().start() >= last, "parts overlap");
        assertTrue(child.bodyEnd() <= part.bodyEnd(), "a part outside its container");
        last = child.bodyEnd();
      }
      check(child, depth + 1);
    }
  }
}
