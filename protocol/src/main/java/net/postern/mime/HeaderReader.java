package net.postern.mime;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Splits a header section into fields and finds where the body begins. One thread. */
final class HeaderReader {
  /** RFC 5322 §2.1.1, without the line end. */
  private static final int MAX_LINE = 998;

  /**
   * @param bodyStart offset of the body
   * @param atDelimiter whether a boundary line cut the section short; there is no body then
   */
  record Section(Headers headers, int bodyStart, boolean atDelimiter) {}

  private final byte[] b;
  private final int limit;
  private final ParseLimits limits;
  private final DefectLog log;
  private final IntPredicate delimiter;

  HeaderReader(byte[] b, int limit, ParseLimits limits, DefectLog log, IntPredicate delimiter) {
    this.b = b;
    this.limit = limit;
    this.limits = limits;
    this.log = log;
    this.delimiter = delimiter;
  }

  Section read(int start, boolean message) {
    List<HeaderField> fields = new ArrayList<>(message ? 24 : 4);
    boolean over = false;
    int p = start;
    if (message && isMboxLine(p)) {
      log.add(Defect.MBOX_FROM_LINE, p);
      p = Ascii.nextLine(b, p, limit);
    }
    int first = p;
    while (p < limit) {
      if (b[p] == '-' && delimiter.test(p)) {
        log.add(Defect.HEADER_NO_END, p);
        return new Section(new Headers(fields, first, p), p, true);
      }
      int next = Ascii.nextLine(b, p, limit);
      if (Ascii.lineEnd(b, p, next) == p) {
        return new Section(new Headers(fields, first, p), next, false);
      }
      int nameEnd = fieldNameEnd(p, next);
      if (nameEnd < 0) {
        log.add(Defect.HEADER_NO_COLON, p);
        // A line like a boundary is one whose empty line before it was lost.
        boolean dashes = b[p] == '-' && p + 1 < limit && b[p + 1] == '-';
        if (!dashes && headerGoesOn(next, fields)) {
          p = next;
          continue;
        }
        // Most programs take such a line as the first of the body.
        return new Section(new Headers(fields, first, p), p, false);
      }
      int colon = nameEnd;
      while (b[colon] != ':') {
        colon++;
      }
      if (colon > nameEnd) {
        log.add(Defect.HEADER_SPACE_BEFORE_COLON, p);
      }
      checkLength(p, next);
      while (next < limit && Ascii.isBlank(b[next])) {
        int line = next;
        next = Ascii.nextLine(b, line, limit);
        checkLength(line, next);
        if (isBlankLine(line, next)) {
          log.add(Defect.HEADER_BLANK_CONTINUATION, line);
        }
      }
      int end = Ascii.lineEnd(b, p, next);
      if (fields.size() < limits.maxFields()) {
        fields.add(new HeaderField(b, p, nameEnd, colon + 1, end));
        checkBytes(p, end);
      } else if (!over) {
        over = true;
        log.add(Defect.HEADER_TOO_MANY_FIELDS, p);
      }
      p = next;
    }
    log.add(Defect.HEADER_NO_END, limit);
    return new Section(new Headers(fields, first, limit), limit, false);
  }

  private boolean headerGoesOn(int next, List<HeaderField> fields) {
    if (next >= limit) {
      return false;
    }
    int after = Ascii.nextLine(b, next, limit);
    if (Ascii.lineEnd(b, next, after) == next) {
      return !fields.isEmpty();
    }
    return fieldNameEnd(next, after) >= 0;
  }

  /** End of the field name of a line (RFC 5322 §2.2, obs: §4.5), or -1 when it is no field. */
  private int fieldNameEnd(int from, int to) {
    int i = from;
    while (i < to && b[i] > ' ' && b[i] != 0x7f && b[i] != ':') {
      i++;
    }
    if (i == from) {
      return -1;
    }
    int nameEnd = i;
    while (i < to && Ascii.isBlank(b[i])) {
      i++;
    }
    return i < to && b[i] == ':' ? nameEnd : -1;
  }

  private boolean isMboxLine(int p) {
    int at = p < limit && b[p] == '>' ? p + 1 : p;
    return at + 5 <= limit
        && b[at] == 'F'
        && b[at + 1] == 'r'
        && b[at + 2] == 'o'
        && b[at + 3] == 'm'
        && b[at + 4] == ' ';
  }

  private boolean isBlankLine(int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Ascii.isSpace(b[i])) {
        return false;
      }
    }
    return true;
  }

  private void checkLength(int from, int next) {
    if (next - from > MAX_LINE + 2) {
      log.add(Defect.HEADER_LINE_TOO_LONG, from);
    }
  }

  private void checkBytes(int from, int end) {
    boolean high = false;
    boolean nul = false;
    boolean bareCr = false;
    for (int i = from; i < end; i++) {
      byte c = b[i];
      if (c < ' ') {
        high |= c < 0;
        nul |= c == 0;
        bareCr |= c == '\r' && (i + 1 == limit || b[i + 1] != '\n');
      }
    }
    if (high && !Charsets.isUtf8(b, from, end)) {
      log.add(Defect.HEADER_RAW_8BIT, from);
    }
    if (nul) {
      log.add(Defect.HEADER_NUL, from);
    }
    if (bareCr) {
      log.add(Defect.HEADER_BARE_CR, from);
    }
  }
}
