package net.postern.filter.scan;

import static net.postern.filter.Rule.Group.SAMPLE;

import java.util.List;
import java.util.Optional;
import net.postern.filter.MailView;
import net.postern.filter.Rule;
import net.postern.mime.Part;

/** The harmless standard samples that show that scanning works. */
public final class SampleTests {
  private SampleTests() {}

  // Both are written in two pieces so that this program is not itself taken for them.
  private static final ByteSearch EICAR_FILE =
      new ByteSearch("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*");
  private static final ByteSearch GTUBE_TEXT =
      new ByteSearch("XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-" + "ANTI-UBE-TEST-EMAIL*C.34X");

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule(
              "EICAR", 100, SAMPLE, "Contains the EICAR anti-virus test file", SampleTests::eicar),
          new Rule(
              "GTUBE",
              1000,
              SAMPLE,
              "Contains the generic test for unsolicited bulk email",
              SampleTests::gtube));

  @SuppressWarnings("ReferenceEquality") // the same array, not equal bytes, is meant
  private static Optional<String> eicar(MailView mail) {
    // Everything that is in the clear, parts or not, in one look; then what is encoded.
    byte[] content = mail.message().content();
    if (EICAR_FILE.in(content, 0, content.length)) {
      return Rule.YES;
    }
    for (Part part : mail.leaves()) {
      boolean foreign = part.buffer() != content;
      if ((foreign || !part.encoding().isIdentity()) && EICAR_FILE.in(part.open())) {
        return Rule.seen("part " + part.path() + " " + part.fileName());
      }
    }
    return Rule.NO;
  }

  private static Optional<String> gtube(MailView mail) {
    MailView.Body body = mail.body();
    if (body.plain().isEmpty() && body.html().isEmpty()) {
      return Rule.NO;
    }
    byte[] content = mail.message().content();
    if (GTUBE_TEXT.in(content, 0, content.length)) {
      return Rule.YES;
    }
    for (Part part : mail.leaves()) {
      if (part.isBodyText() && !part.encoding().isIdentity() && GTUBE_TEXT.in(part.open())) {
        return Rule.YES;
      }
    }
    return Rule.NO;
  }
}
