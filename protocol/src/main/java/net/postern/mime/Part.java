package net.postern.mime;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * One node of a message: a leaf with content, a multipart, or an enclosed message.
 *
 * <p>Immutable; offsets are into {@link #buffer}, which for parts of an enclosed message under
 * base64 is not the buffer of the message around it.
 */
public final class Part {
  /** Longest file name kept, in characters. */
  public static final int MAX_NAME = 1000;

  private final byte[] buffer;
  private final String path;
  private final Headers headers;
  private final Parameterized type;
  private final Parameterized disposition;
  private final TransferEncoding encoding;
  private final int bodyStart;
  private final int bodyEnd;
  private final List<Part> children;

  Part(
      byte[] buffer,
      String path,
      Headers headers,
      Parameterized type,
      Parameterized disposition,
      TransferEncoding encoding,
      int bodyStart,
      int bodyEnd,
      List<Part> children) {
    this.buffer = buffer;
    this.path = path;
    this.headers = headers;
    this.type = type;
    this.disposition = disposition;
    this.encoding = encoding;
    this.bodyStart = bodyStart;
    this.bodyEnd = bodyEnd;
    this.children = List.copyOf(children);
  }

  /**
   * The part's number as IMAP counts (RFC 9051 §6.4.5): {@code 1}, {@code 1.2}; the multipart body
   * of a message is {@code TEXT}, of an enclosed one {@code 2.TEXT}.
   */
  public String path() {
    return path;
  }

  /** Its header section; of the message itself for the root. */
  public Headers headers() {
    return headers;
  }

  /** Declared type, lower case; {@code text/plain} when none is declared (RFC 2045 §5.2). */
  public String type() {
    return type.value();
  }

  /** Whether the declared type starts so, as in {@code text/}. */
  public boolean isType(String prefix) {
    return type.value().startsWith(prefix);
  }

  /** {@code inline}, {@code attachment}, or empty when the field is absent (RFC 2183 §2). */
  public String disposition() {
    return disposition.value();
  }

  /** Declared transfer encoding; of the field that counts when there are several. */
  public TransferEncoding encoding() {
    return encoding;
  }

  /** Declared file name, from Content-Disposition, else Content-Type's name; empty when none. */
  public String fileName() {
    String name = disposition.parameter("filename");
    if (name.isEmpty()) {
      name = type.parameter("name");
    }
    if (name.length() > MAX_NAME) {
      name = name.substring(0, MAX_NAME);
    }
    return EncodedWords.decode(name); // against RFC 2047 §5, but what programs write
  }

  /** Parts inside it, in order; of an enclosed message, its root. Empty for a leaf. */
  public List<Part> children() {
    return children;
  }

  public boolean isLeaf() {
    return children.isEmpty();
  }

  /** A leaf that a mail program shows as text: {@code text/*} and not sent as an attachment. */
  public boolean isBodyText() {
    return isLeaf() && isType("text/") && !disposition.value().equals("attachment");
  }

  /** The array that the offsets point into. Not to be changed. */
  public byte[] buffer() {
    return buffer;
  }

  /** Offset of the first byte of the content. */
  public int bodyStart() {
    return bodyStart;
  }

  /** Offset after the last byte of the content; the line end before a boundary is not in it. */
  public int bodyEnd() {
    return bodyEnd;
  }

  /** The content with its transfer encoding undone, as a stream in constant memory. */
  public DecodedStream open() {
    // RFC 2045 §6.4: a composite type is never under an encoding that changes its lines.
    return new DecodedStream(
        buffer, bodyStart, bodyEnd, isType("multipart/") && !isLeaf() ? identity() : encoding);
  }

  private static TransferEncoding identity() {
    return TransferEncoding.BINARY;
  }

  /** The decoded content, cut after {@code max} bytes. */
  public byte[] decoded(int max) {
    return open().drain(max);
  }

  /** Content as text by its charset; at most {@code maxBytes} of decoded content are read. */
  public String text(int maxBytes) {
    String charset = type.parameter("charset");
    if (encoding.isIdentity()) {
      return Charsets.decode(buffer, bodyStart, Math.min(bodyEnd - bodyStart, maxBytes), charset);
    }
    byte[] bytes = decoded(maxBytes);
    return Charsets.decode(bytes, 0, bytes.length, charset);
  }

  /** Size and digest of the decoded content. */
  public record Digest(long bytes, String sha256) {}

  /** Reads the whole content once, in constant memory. */
  public Digest digest() {
    MessageDigest sha = sha256();
    long bytes = 0;
    if (encoding.isIdentity()) {
      sha.update(buffer, bodyStart, bodyEnd - bodyStart);
      bytes = (long) bodyEnd - bodyStart;
    } else {
      DecodedStream in = open();
      byte[] chunk = new byte[16 * 1024];
      int n;
      while ((n = in.read(chunk, 0, chunk.length)) > 0) {
        sha.update(chunk, 0, n);
        bytes += n;
      }
    }
    return new Digest(bytes, HexFormat.of().formatHex(sha.digest()));
  }

  /** The charset label of Content-Type, empty when there is none. */
  public Optional<String> charset() {
    String label = type.parameter("charset");
    return label.isEmpty() ? Optional.empty() : Optional.of(label);
  }

  @Override
  public String toString() {
    return path + " " + type.value() + " [" + bodyStart + "," + bodyEnd + ")";
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
