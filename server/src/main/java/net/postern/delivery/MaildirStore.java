package net.postern.delivery;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import net.postern.address.EmailAddress;
import net.postern.ledger.LeasedDelivery;

/**
 * Writes messages into Maildirs: {@code DIRECTORY/domain/local-part/{tmp,new,cur}}. A message is
 * written to {@code tmp}, synced, renamed to {@code new}, and the directory synced: after a crash
 * there is the whole message or none.
 *
 * <p><b>Directory names.</b> Lower-case letters, digits and {@code . _ - + =} stand for themselves;
 * every other byte of the UTF-8 form is {@code %XX}, and so is a dot at the start. So no name can
 * be {@code .}, {@code ..}, hold a slash or a control character, and two addresses never share a
 * directory. Case is folded first, as addresses are compared without it. A name over 200 characters
 * is cut to 100 and {@code %~} with the SHA-256 of the whole.
 *
 * <p><b>File names</b> follow the Maildir convention {@code time.unique.host}; the unique part is
 * message id and delivery number. A second attempt after a crash therefore replaces the file of the
 * first in {@code new}, and finds it when a mail program has moved it to {@code cur}.
 *
 * <p>Line ends are kept as they are (CRLF): signatures are over those bytes.
 */
final class MaildirStore {
  private static final int MAX_NAME = 200;
  private static final int CUT_NAME = 100;

  private final String hostname;

  MaildirStore(String hostname) {
    this.hostname = safeName(hostname);
  }

  /**
   * Stores a message.
   *
   * @param content with marks applied
   * @return path below the base directory
   * @throws IOException when the file system refuses, as when it is full; nothing is left behind
   *     then
   */
  String store(Path base, LeasedDelivery delivery, byte[] content) throws IOException {
    EmailAddress recipient = delivery.recipient();
    Path domain = base.resolve(safeName(recipient.domain()));
    Path maildir = domain.resolve(safeName(recipient.localPart()));
    Path fresh = maildir.resolve("new");
    Path current = maildir.resolve("cur");
    Path temporary = maildir.resolve("tmp");
    if (!Files.isDirectory(fresh) || !Files.isDirectory(current) || !Files.isDirectory(temporary)) {
      create(base, domain, maildir, temporary, current, fresh);
    }
    String name = fileName(delivery);
    String stored = base.relativize(fresh.resolve(name)).toString();
    if (delivery.attempt() > 1 && wasSeen(current, name)) {
      return stored;
    }
    Path partial = temporary.resolve(name);
    try {
      write(partial, topLines(delivery), content);
      Files.move(
          partial,
          fresh.resolve(name),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      try {
        Files.deleteIfExists(partial);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
    sync(fresh);
    return stored;
  }

  String fileName(LeasedDelivery delivery) {
    return delivery.acceptedAt().getEpochSecond()
        + "."
        + delivery.key().message()
        + "_"
        + delivery.key().number()
        + "."
        + hostname;
  }

  /** The directory name for a domain or local part. */
  static String safeName(String text) {
    byte[] bytes = text.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8);
    StringBuilder out = new StringBuilder(bytes.length + 16);
    for (int i = 0; i < bytes.length; i++) {
      byte b = bytes[i];
      boolean plain =
          (b >= 'a' && b <= 'z')
              || (b >= '0' && b <= '9')
              || b == '_'
              || b == '-'
              || b == '+'
              || b == '='
              || (b == '.' && i > 0);
      if (plain) {
        out.append((char) b);
      } else {
        out.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
      }
    }
    if (out.isEmpty()) {
      return "%";
    }
    return out.length() <= MAX_NAME
        ? out.toString()
        : out.substring(0, CUT_NAME) + "%~" + hash(bytes);
  }

  private static String hash(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  // RFC 5321 §4.4: the last server writes the reverse-path on top.
  private static byte[] topLines(LeasedDelivery delivery) {
    String reversePath = delivery.reversePath().map(EmailAddress::toString).orElse("");
    String lines =
        "Return-Path: <"
            + headerSafe(reversePath)
            + ">\r\nDelivered-To: "
            + headerSafe(delivery.recipient().toString())
            + "\r\n";
    return lines.getBytes(StandardCharsets.UTF_8);
  }

  private static String headerSafe(String text) {
    return text.chars().anyMatch(c -> c < 0x20 || c == 0x7f)
        ? text.replaceAll("[\\x00-\\x1f\\x7f]", "?")
        : text;
  }

  private static void write(Path file, byte[] top, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer[] parts = {ByteBuffer.wrap(top), ByteBuffer.wrap(content)};
      while (parts[0].hasRemaining() || parts[1].hasRemaining()) {
        long _ = channel.write(parts);
      }
      channel.force(true);
    }
  }

  private static boolean wasSeen(Path current, String name) throws IOException {
    // After the name a mail program only adds ":2," and flags.
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(
            current, entry -> String.valueOf(entry.getFileName()).startsWith(name))) {
      return entries.iterator().hasNext();
    }
  }

  private static void create(
      Path base, Path domain, Path maildir, Path temporary, Path current, Path fresh)
      throws IOException {
    Files.createDirectories(base);
    Files.createDirectories(domain);
    Files.createDirectories(maildir);
    // "new" comes last: mail programs take a directory with it for a whole Maildir.
    Files.createDirectories(temporary);
    Files.createDirectories(current);
    Files.createDirectories(fresh);
    sync(maildir);
    sync(domain);
    sync(base);
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
