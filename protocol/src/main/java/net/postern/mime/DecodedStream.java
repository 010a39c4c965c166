package net.postern.mime;

import java.io.InputStream;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;

/**
 * The content of a part with its transfer encoding undone, in constant memory. Never throws on any
 * content; {@link #defects()} says what was forgiven in what was read so far. One thread.
 */
public final class DecodedStream extends InputStream {
  private static final byte[] BASE64 = new byte[256];
  private static final byte SPACE = -1;
  private static final byte FOREIGN = -2;
  private static final byte PAD = -3;

  static {
    Arrays.fill(BASE64, FOREIGN);
    String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 64; i++) {
      BASE64[alphabet.charAt(i)] = (byte) i;
    }
    BASE64['='] = PAD;
    for (char c : new char[] {' ', '\t', '\r', '\n'}) {
      BASE64[c] = SPACE;
    }
  }

  private final byte[] in;
  private final int limit;
  private final TransferEncoding encoding;
  private final Set<Defect> defects = EnumSet.noneOf(Defect.class);
  private int pos;

  // base64: bits of a group not yet complete
  private int bits;
  private int sextets;
  private boolean padded;
  // decoded bytes that the caller's array had no room for
  private final byte[] spare = new byte[3];
  private int spareFrom;
  private int spareTo;
  // quoted-printable: end of a run of blanks that lies before text, so that runs are seen once
  private int blanksTo;

  DecodedStream(byte[] in, int from, int to, TransferEncoding encoding) {
    this.in = in;
    this.pos = from;
    this.limit = to;
    this.encoding = encoding;
  }

  /** What the decoder had to forgive so far. */
  public Set<Defect> defects() {
    return Set.copyOf(defects);
  }

  /** Reads all that is left, up to {@code max} bytes. */
  public byte[] drain(int max) {
    // Neither encoding grows: the rest of the input bounds the output.
    int room = Math.min(max, limit - pos + spareTo - spareFrom);
    if (encoding.isIdentity()) {
      byte[] out = Arrays.copyOfRange(in, pos, pos + room);
      pos += room;
      return out;
    }
    byte[] out = new byte[encoding == TransferEncoding.BASE64 ? base64Room(room) : room];
    int n = 0;
    while (n < out.length) {
      int got = read(out, n, out.length - n);
      if (got < 0) {
        break;
      }
      n += got;
    }
    return n == out.length ? out : Arrays.copyOf(out, n);
  }

  private int base64Room(int room) {
    return (int) Math.min(room, (limit - pos) * 3L / 4 + 6);
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] out, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, out.length);
    if (length == 0) {
      return 0;
    }
    int n =
        switch (encoding) {
          case SEVEN_BIT, EIGHT_BIT, BINARY -> identity(out, offset, length);
          case BASE64 -> base64(out, offset, offset + length) - offset;
          case QUOTED_PRINTABLE -> quotedPrintable(out, offset, offset + length) - offset;
        };
    return n == 0 ? -1 : n;
  }

  private int identity(byte[] out, int offset, int length) {
    int n = Math.min(length, limit - pos);
    System.arraycopy(in, pos, out, offset, n);
    pos += n;
    return n;
  }

  // RFC 2045 §6.8. Foreign characters are skipped; padding ends a group, and what follows begins a
  // new one, which is what programs do that join concatenated base64.
  private int base64(byte[] out, int from, int to) {
    int n = from;
    while (spareFrom < spareTo && n < to) {
      out[n++] = spare[spareFrom++];
    }
    if (spareFrom < spareTo) {
      return n;
    }
    int p = pos;
    while (p < limit && n < to) {
      if (sextets == 0 && to - n >= 3 && limit - p >= 4) {
        int a = BASE64[in[p] & 0xff];
        int b = BASE64[in[p + 1] & 0xff];
        int c = BASE64[in[p + 2] & 0xff];
        int d = BASE64[in[p + 3] & 0xff];
        if ((a | b | c | d) >= 0) {
          if (padded) {
            padded = false;
            defects.add(Defect.BASE64_PADDING_INSIDE);
          }
          int group = a << 18 | b << 12 | c << 6 | d;
          out[n] = (byte) (group >> 16);
          out[n + 1] = (byte) (group >> 8);
          out[n + 2] = (byte) group;
          n += 3;
          p += 4;
          continue;
        }
      }
      int v = BASE64[in[p++] & 0xff];
      if (v >= 0) {
        if (padded) {
          padded = false;
          defects.add(Defect.BASE64_PADDING_INSIDE);
        }
        bits = bits << 6 | v;
        if (++sextets == 4) {
          n = emit(3, bits, out, n, to);
          sextets = 0;
          bits = 0;
        }
      } else if (v == PAD) {
        n = endGroup(out, n, to);
        padded = true;
      } else if (v == FOREIGN) {
        defects.add(Defect.BASE64_FOREIGN_CHARACTER);
      }
    }
    pos = p;
    if (p == limit && n < to && sextets > 0) {
      defects.add(Defect.BASE64_TRUNCATED);
      n = endGroup(out, n, to);
    }
    return n;
  }

  private int endGroup(byte[] out, int n, int to) {
    int after = n;
    if (sextets == 2) {
      after = emit(1, bits << 12, out, n, to);
    } else if (sextets == 3) {
      after = emit(2, bits << 6, out, n, to);
    }
    sextets = 0;
    bits = 0;
    return after;
  }

  private int emit(int count, int group, byte[] out, int from, int to) {
    int n = from;
    spareFrom = 0;
    spareTo = 0;
    for (int i = 0; i < count; i++) {
      byte b = (byte) (group >> (16 - 8 * i));
      if (n < to) {
        out[n++] = b;
      } else {
        spare[spareTo++] = b;
      }
    }
    return n;
  }

  // RFC 2045 §6.7. A bad escape stays as it stands; blanks at the end of a line go (rule 3).
  private int quotedPrintable(byte[] out, int from, int to) {
    int n = from;
    while (pos < limit && n < to) {
      byte c = in[pos];
      if (c == '=') {
        int high = pos + 1 < limit ? Ascii.hex(in[pos + 1]) : -1;
        int low = pos + 2 < limit ? Ascii.hex(in[pos + 2]) : -1;
        if (high >= 0 && low >= 0) {
          out[n++] = (byte) (high << 4 | low);
          pos += 3;
          continue;
        }
        int after = afterBlanks(pos + 1);
        if (after == limit) {
          pos = limit;
        } else if (in[after] == '\n') {
          pos = after + 1;
        } else if (in[after] == '\r' && after + 1 < limit && in[after + 1] == '\n') {
          pos = after + 2;
        } else {
          defects.add(Defect.QUOTED_PRINTABLE_BAD_ESCAPE);
          out[n++] = c;
          pos++;
        }
      } else if (Ascii.isBlank(c)) {
        int after = afterBlanks(pos);
        if (after == limit || in[after] == '\r' || in[after] == '\n') {
          pos = after;
        } else {
          out[n++] = c;
          pos++;
        }
      } else {
        out[n++] = c;
        pos++;
      }
    }
    return n;
  }

  private int afterBlanks(int from) {
    int i = Math.max(from, blanksTo);
    if (from < blanksTo) {
      return blanksTo; // inside a run that was measured before
    }
    while (i < limit && Ascii.isBlank(in[i])) {
      i++;
    }
    blanksTo = i;
    return i;
  }
}
