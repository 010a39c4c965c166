package net.postern.filter.scan;

import static net.postern.filter.Rule.Group.MIME;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import net.postern.filter.MailView;
import net.postern.filter.Rule;
import net.postern.mime.Part;

/** Tests of attached files by name and first bytes. */
public final class AttachmentTests {
  private AttachmentTests() {}

  private static final Set<String> PROGRAMS =
      Set.of(
          "exe",
          "scr",
          "pif",
          "com",
          "bat",
          "cmd",
          "vbs",
          "vbe",
          "js",
          "jse",
          "wsf",
          "wsh",
          "hta",
          "lnk",
          "cpl",
          "msi",
          "msix",
          "jar",
          "ps1",
          "reg",
          "chm",
          "appx",
          "application",
          "gadget",
          "scf",
          "url",
          "vb",
          "xll",
          "settingcontent-ms");

  private static final Set<String> DOCUMENTS =
      Set.of(
          "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "rtf", "jpg", "jpeg", "png",
          "gif", "htm", "html", "zip", "csv", "mp3", "mp4", "avi", "eml");

  private static final Set<String> PAGES = Set.of("htm", "html", "shtml", "xhtml", "svg", "mht");

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule(
              "EXE_ATTACHMENT",
              6.0,
              MIME,
              "An attachment that runs as a program",
              mail -> firstNamed(mail, AttachmentTests::isProgram)),
          new Rule(
              "DOUBLE_EXTENSION",
              5.0,
              MIME,
              "A program named like a document, as in invoice.pdf.exe",
              mail -> firstNamed(mail, AttachmentTests::isDisguised)),
          new Rule(
              "EXE_DISGUISED",
              7.0,
              MIME,
              "A Windows program under the name of something else",
              AttachmentTests::hiddenProgram),
          new Rule(
              "FILENAME_RTL_OVERRIDE",
              6.0,
              MIME,
              "A file name that turns its writing direction to hide its extension",
              mail -> firstNamed(mail, name -> name.indexOf(0x202e) >= 0)),
          new Rule(
              "HTML_ATTACHMENT",
              1.5,
              MIME,
              "A web page as attachment, which opens outside the mail program",
              AttachmentTests::page));

  @FunctionalInterface
  private interface NameTest {
    boolean is(String name);
  }

  private static Optional<String> firstNamed(MailView mail, NameTest test) {
    for (Part part : mail.leaves()) {
      String name = part.fileName();
      if (!name.isEmpty() && test.is(name)) {
        return Rule.seen(name);
      }
    }
    return Rule.NO;
  }

  /** The extension as Windows reads it: blanks and dots at the end do not count. */
  static String extension(String name) {
    int end = name.length();
    while (end > 0 && (name.charAt(end - 1) <= ' ' || name.charAt(end - 1) == '.')) {
      end--;
    }
    int dot = name.lastIndexOf('.', end - 1);
    return dot < 0 ? "" : name.substring(dot + 1, end).toLowerCase(Locale.ROOT);
  }

  private static boolean isProgram(String name) {
    return PROGRAMS.contains(extension(name));
  }

  private static boolean isDisguised(String name) {
    if (!isProgram(name)) {
      return false;
    }
    String inner = extension(name.substring(0, name.lastIndexOf('.')));
    return DOCUMENTS.contains(inner);
  }

  private static Optional<String> hiddenProgram(MailView mail) {
    for (Part part : mail.leaves()) {
      if (part.isBodyText()
          || isProgram(part.fileName())
          || extension(part.fileName()).equals("dll")) {
        continue;
      }
      byte[] head = part.decoded(256);
      // The DOS header: "MZ", and at 0x3c the offset of the PE header, a multiple of 8.
      if (head.length >= 0x40
          && head[0] == 'M'
          && head[1] == 'Z'
          && head[0x3c] % 8 == 0
          && head[0x3e] == 0
          && head[0x3f] == 0) {
        return Rule.seen("part " + part.path() + " " + part.fileName());
      }
    }
    return Rule.NO;
  }

  private static Optional<String> page(MailView mail) {
    for (Part part : mail.leaves()) {
      String name = part.fileName();
      if (!name.isEmpty()
          && PAGES.contains(extension(name))
          && !part.disposition().equals("inline")) {
        return Rule.seen(name);
      }
    }
    return Rule.NO;
  }
}
