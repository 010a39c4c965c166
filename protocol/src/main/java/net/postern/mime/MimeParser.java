package net.postern.mime;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Builds the tree of parts in one pass over the bytes.
 *
 * <p>Only one scanner walks the body. It knows the boundaries of all open multiparts and stops at a
 * line that is one of them, the innermost first; the multipart it belongs to goes on from there,
 * and those inside it end unclosed. So every byte is looked at once, however deep the nesting. One
 * thread.
 */
final class MimeParser {
  /** Longest boundary that is followed; RFC 2046 §5.1.1 allows 70. */
  private static final int MAX_BOUNDARY = 1000;

  private final byte[] b;
  private final int limit;
  private final ParseLimits limits;
  private final DefectLog log;
  private final List<byte[]> open = new ArrayList<>(4);
  private int parts;

  // The delimiter that stopped the scanner: level in `open`, or -1 at the end of the message.
  private int level = -1;
  private boolean closing;
  private int lineStart;
  private int lineNext;

  MimeParser(byte[] content, ParseLimits limits, DefectLog log) {
    this.b = content;
    this.limit = content.length;
    this.limits = limits;
    this.log = log;
  }

  Part parse() {
    return entity("", true, 0, 0, "text/plain");
  }

  private static String join(String prefix, String last) {
    return prefix.isEmpty() ? last : prefix + "." + last;
  }

  /**
   * Reads the part at {@code start}; afterwards the delimiter that ended it is current.
   *
   * @param path its own number, or for a message that of the part it is in
   */
  private Part entity(String path, boolean message, int start, int depth, String defaultType) {
    parts++;
    HeaderReader.Section section =
        new HeaderReader(b, limit, limits, log, this::atDelimiter).read(start, message);
    Headers headers = section.headers();
    Described d = describe(headers, defaultType);
    String type = d.type.value();
    int body = section.bodyStart();

    if (!section.atDelimiter() && type.startsWith("multipart/")) {
      byte[] boundary = boundary(d.type, body);
      if (boundary.length > 0 && roomFor(depth, body)) {
        return multipart(path, message, headers, d, body, depth, boundary);
      }
    }
    String own = message ? join(path, "1") : path;
    if (!section.atDelimiter()
        && (type.equals("message/rfc822") || type.equals("message/global"))
        && roomFor(depth, body)) {
      return enclosed(own, headers, d, body, depth);
    }
    if (!section.atDelimiter()) {
      scan(body);
    }
    return leaf(own, headers, d, body);
  }

  private Part leaf(String path, Headers headers, Described d, int body) {
    return new Part(
        b, path, headers, d.type, d.disposition, d.encoding, body, contentEnd(body), List.of());
  }

  private Part multipart(
      String path,
      boolean message,
      Headers headers,
      Described d,
      int body,
      int depth,
      byte[] boundary) {
    int mine = open.size();
    open.add(boundary);
    scan(body);
    if (level != mine || closing) {
      log.add(Defect.BOUNDARY_NEVER_FOUND, body);
      open.removeLast();
      scan(body);
      return leaf(message ? join(path, "1") : path, headers, d, body);
    }
    if (!d.encoding.isIdentity()) {
      log.add(Defect.TRANSFER_ENCODING_ON_MULTIPART, body);
    }
    String childType = d.type.value().equals("multipart/digest") ? "message/rfc822" : "text/plain";
    List<Part> children = new ArrayList<>(4);
    int last = lineNext;
    while (level == mine && !closing) {
      last = lineNext;
      String number = join(path, Integer.toString(children.size() + 1));
      if (parts >= limits.maxParts()) {
        log.add(Defect.TOO_MANY_PARTS, last);
        level = -1;
        lineStart = limit;
        Headers none = new Headers(List.of(), last, last);
        children.add(leaf(number, none, Described.PLAIN, last));
        break;
      }
      children.add(entity(number, false, last, depth + 1, childType));
    }
    // A part whose header section was cut ends at the delimiter itself, behind its line end.
    int end = Math.max(contentEnd(body), children.isEmpty() ? body : children.getLast().bodyEnd());
    open.removeLast();
    if (level == mine) {
      int epilogue = lineNext;
      end = Ascii.lineEnd(b, lineStart, lineNext);
      scan(epilogue); // on to a delimiter of an enclosing multipart
      if (hasText(epilogue, contentEnd(epilogue))) {
        log.add(Defect.EPILOGUE_CONTENT, epilogue);
      }
    } else {
      log.add(Defect.BOUNDARY_NOT_CLOSED, last);
    }
    String own = message ? join(path, "TEXT") : path;
    return new Part(
        b, own, headers, d.type, d.disposition, d.encoding, body, Math.max(body, end), children);
  }

  private Part enclosed(String path, Headers headers, Described d, int body, int depth) {
    if (d.encoding.isIdentity()) {
      Part inner = entity(path, true, body, depth + 1, "text/plain");
      int last = Math.max(contentEnd(body), inner.bodyEnd());
      return new Part(
          b, path, headers, d.type, d.disposition, d.encoding, body, last, List.of(inner));
    }
    scan(body);
    int end = contentEnd(body);
    log.add(Defect.TRANSFER_ENCODING_ON_MESSAGE, body);
    // Each level of this costs at most the size of what it decodes; depth bounds the levels.
    byte[] decoded = new DecodedStream(b, body, end, d.encoding).drain(end - body);
    MimeParser parser = new MimeParser(decoded, limits, log);
    parser.parts = parts;
    Part inner = parser.entity(path, true, 0, depth + 1, "text/plain");
    parts = parser.parts;
    return new Part(b, path, headers, d.type, d.disposition, d.encoding, body, end, List.of(inner));
  }

  private boolean roomFor(int depth, int offset) {
    if (depth + 1 >= limits.maxDepth()) {
      log.add(Defect.TOO_DEEP, offset);
      return false;
    }
    if (parts >= limits.maxParts()) {
      log.add(Defect.TOO_MANY_PARTS, offset);
      return false;
    }
    return true;
  }

  private byte[] boundary(Parameterized type, int offset) {
    String text = type.parameter("boundary").stripTrailing();
    if (text.isEmpty() || text.length() > MAX_BOUNDARY) {
      log.add(text.isEmpty() ? Defect.BOUNDARY_MISSING : Defect.BOUNDARY_INVALID, offset);
      return new byte[0];
    }
    // RFC 2046 §5.1.1 bchars; other characters are met in the field and work.
    if (text.length() > 70 || !text.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
      log.add(Defect.BOUNDARY_INVALID, offset);
    }
    byte[] boundary = text.getBytes(StandardCharsets.UTF_8);
    for (byte[] outer : open) {
      if (Arrays.equals(outer, boundary)) {
        log.add(Defect.BOUNDARY_REUSED, offset);
      }
    }
    return boundary;
  }

  /** Goes from the line at {@code from} to the next delimiter line, or to the end. */
  private void scan(int from) {
    if (!open.isEmpty()) {
      int p = from;
      while (p < limit) {
        if (b[p] == '-' && atDelimiter(p)) {
          return;
        }
        p = Ascii.nextLine(b, p, limit);
      }
    }
    level = -1;
    closing = false;
    lineStart = limit;
    lineNext = limit;
  }

  /** Whether the line at {@code p} is a delimiter; if so it becomes the current one. */
  private boolean atDelimiter(int p) {
    if (p + 2 >= limit || b[p] != '-' || b[p + 1] != '-') {
      return false;
    }
    boolean lookalike = false;
    for (int i = open.size() - 1; i >= 0; i--) {
      byte[] boundary = open.get(i);
      int q = p + 2;
      if (!startsWith(q, boundary)) {
        continue;
      }
      q += boundary.length;
      boolean close = q + 1 < limit && b[q] == '-' && b[q + 1] == '-';
      if (close) {
        q += 2;
      }
      while (q < limit && (Ascii.isBlank(b[q]) || b[q] == '\r')) { // transport padding
        q++;
      }
      if (q == limit || b[q] == '\n') {
        level = i;
        closing = close;
        lineStart = p;
        lineNext = Math.min(limit, q + 1);
        return true;
      }
      lookalike = true;
    }
    if (lookalike) {
      log.add(Defect.BOUNDARY_LOOKALIKE, p);
    }
    return false;
  }

  private boolean startsWith(int at, byte[] what) {
    if (at + what.length > limit) {
      return false;
    }
    for (int i = 0; i < what.length; i++) {
      if (b[at + i] != what[i]) {
        return false;
      }
    }
    return true;
  }

  /** End of content that the current delimiter ended; its line end belongs to the delimiter. */
  private int contentEnd(int body) {
    if (level < 0) {
      return Math.max(body, lineStart);
    }
    return lineStart <= body ? body : Math.max(body, Ascii.lineEnd(b, body, lineStart));
  }

  private boolean hasText(int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Ascii.isSpace(b[i])) {
        return true;
      }
    }
    return false;
  }

  /** What the header section says of the body. */
  private record Described(
      Parameterized type, Parameterized disposition, TransferEncoding encoding) {
    static final Described PLAIN =
        new Described(
            new Parameterized("text/plain", Map.of()),
            Parameterized.NONE,
            TransferEncoding.SEVEN_BIT);
  }

  private Described describe(Headers headers, String defaultType) {
    @Nullable HeaderField typeField = null;
    @Nullable HeaderField dispositionField = null;
    @Nullable HeaderField encodingField = null;
    for (HeaderField field : headers.fields()) {
      if (!field.isContentField()) {
        continue;
      }
      if (field.is("Content-Type")) {
        typeField = firstOf(typeField, field, Defect.CONTENT_TYPE_REPEATED);
      } else if (field.is("Content-Disposition")) {
        dispositionField = firstOf(dispositionField, field, Defect.DISPOSITION_REPEATED);
      } else if (field.is("Content-Transfer-Encoding")) {
        encodingField = firstOf(encodingField, field, Defect.TRANSFER_ENCODING_REPEATED);
      }
    }
    Parameterized type = new Parameterized(defaultType, Map.of());
    if (typeField != null) {
      Parameterized declared = parameters(typeField);
      if (isType(declared.value())) {
        type = declared;
      } else {
        log.add(Defect.CONTENT_TYPE_INVALID, typeField.start());
        type = new Parameterized("text/plain", declared.parameters()); // RFC 2045 §5.2
      }
    }
    Parameterized disposition =
        dispositionField == null ? Parameterized.NONE : parameters(dispositionField);
    String name = type.parameter("name");
    String fileName = disposition.parameter("filename");
    if (!name.isEmpty()
        && !fileName.isEmpty()
        && !name.equals(fileName)
        && !EncodedWords.decode(name).equals(EncodedWords.decode(fileName))) {
      log.add(Defect.FILE_NAMES_DIFFER, headers.start());
    }
    TransferEncoding encoding = TransferEncoding.SEVEN_BIT;
    if (encodingField != null) {
      Optional<TransferEncoding> named = TransferEncoding.named(encodingField.text());
      if (named.isEmpty()) {
        log.add(Defect.TRANSFER_ENCODING_UNKNOWN, encodingField.start());
      }
      encoding = named.orElse(TransferEncoding.SEVEN_BIT);
    }
    return new Described(type, disposition, encoding);
  }

  private HeaderField firstOf(@Nullable HeaderField before, HeaderField field, Defect defect) {
    if (before == null) {
      return field;
    }
    log.add(defect, field.start());
    return before;
  }

  private Parameterized parameters(HeaderField field) {
    Parameterized p = Parameterized.parse(field.text(), field.valueStart(), log);
    for (String value : p.parameters().values()) {
      if (value.contains("=?")) {
        log.add(Defect.PARAMETER_ENCODED_WORD, field.start());
        break;
      }
    }
    return p;
  }

  private static boolean isType(String value) {
    int slash = value.indexOf('/');
    if (slash <= 0 || slash == value.length() - 1 || slash != value.lastIndexOf('/')) {
      return false;
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c <= ' ' || c >= 0x7f || "()<>@,;:\\\"[]?=".indexOf(c) >= 0) {
        return false;
      }
    }
    return true;
  }
}
