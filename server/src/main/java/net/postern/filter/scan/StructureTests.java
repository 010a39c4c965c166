package net.postern.filter.scan;

import static net.postern.filter.Rule.Group.MIME;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import net.postern.filter.MailView;
import net.postern.filter.Rule;
import net.postern.mime.Defect;
import net.postern.mime.Part;
import net.postern.mime.TransferEncoding;

/** Tests of MIME structure. */
public final class StructureTests {
  private StructureTests() {}

  private static final Set<Defect> LIMITS =
      EnumSet.of(Defect.TOO_DEEP, Defect.TOO_MANY_PARTS, Defect.HEADER_TOO_MANY_FIELDS);

  private static final Set<Defect> MISLEADING =
      EnumSet.of(
          Defect.CONTENT_TYPE_REPEATED,
          Defect.TRANSFER_ENCODING_REPEATED,
          Defect.PARAMETER_REPEATED,
          Defect.PARAMETER_FORMS_DIFFER,
          Defect.BOUNDARY_REUSED,
          Defect.TRANSFER_ENCODING_ON_MULTIPART,
          Defect.TRANSFER_ENCODING_ON_MESSAGE,
          Defect.HEADER_NUL);

  private static final Set<Defect> BROKEN =
      EnumSet.of(Defect.CONTENT_TYPE_INVALID, Defect.BOUNDARY_MISSING, Defect.BOUNDARY_NEVER_FOUND);

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule(
              "MIME_TOO_COMPLEX",
              6.0,
              MIME,
              "More parts, levels or fields than are looked into",
              mail -> firstOf(mail, LIMITS)),
          new Rule(
              "MIME_AMBIGUOUS",
              1.5,
              MIME,
              "Structure that mail programs read in different ways",
              mail -> firstOf(mail, MISLEADING)),
          new Rule(
              "BROKEN_CONTENT_TYPE",
              1.0,
              MIME,
              "A Content-Type that cannot be used",
              mail -> firstOf(mail, BROKEN)),
          new Rule(
              "R_BAD_CTE",
              1.0,
              MIME,
              "An unknown Content-Transfer-Encoding",
              mail -> Rule.when(mail.message().has(Defect.TRANSFER_ENCODING_UNKNOWN))),
          new Rule(
              "MIME_BASE64_TEXT",
              0.6,
              MIME,
              "ASCII text disguised by base64",
              StructureTests::base64Text),
          new Rule(
              "MIME_HTML_ONLY",
              0.3,
              MIME,
              "HTML without a text alternative",
              StructureTests::htmlOnly));

  private static Optional<String> firstOf(MailView mail, Set<Defect> defects) {
    List<Defect.At> found = mail.message().defects();
    if (found.isEmpty()) {
      return Rule.NO;
    }
    for (Defect.At at : found) {
      if (defects.contains(at.defect())) {
        return Rule.seen(at.defect() + " at " + at.offset());
      }
    }
    return Rule.NO;
  }

  private static Optional<String> base64Text(MailView mail) {
    for (Part part : mail.leaves()) {
      if (part.isBodyText()
          && part.type().equals("text/plain")
          && part.encoding() == TransferEncoding.BASE64
          && isPrintableAscii(part.decoded(8192))) {
        return Rule.seen("part " + part.path());
      }
    }
    return Rule.NO;
  }

  private static boolean isPrintableAscii(byte[] bytes) {
    for (byte b : bytes) {
      if (b < '\t') {
        return false;
      }
    }
    return bytes.length > 0;
  }

  private static Optional<String> htmlOnly(MailView mail) {
    boolean html = false;
    for (Part part : mail.leaves()) {
      if (part.isBodyText()) {
        if (!part.type().equals("text/html")) {
          return Rule.NO;
        }
        html = true;
      }
    }
    return Rule.when(html);
  }
}
