package net.postern.keys;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key that wraps all customers' keys. Whoever has it and one store can read everything; without
 * it nobody can read anything.
 *
 * @param id first 16 hexadecimal digits of the SHA-256 of the key: says which master key wrapped a
 *     record, without telling the key
 */
public record MasterKey(String id, SecretKeySpec key) {

  /** Makes one from its 32 bytes. */
  public static MasterKey of(byte[] bytes) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      return new MasterKey(HexFormat.of().formatHex(digest, 0, 8), Aead.key(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing from this Java runtime", e);
    }
  }

  /**
   * Reads a key file: 64 hexadecimal digits.
   *
   * @throws IOException when it cannot be read or holds something else; the message says what to do
   */
  public static MasterKey read(Path file) throws IOException {
    String text;
    try {
      text = Files.readString(file, StandardCharsets.US_ASCII).strip();
    } catch (NoSuchFileException e) {
      throw new IOException(
          "master key file %s is missing: put the copy back that was kept elsewhere; without it the stores cannot be read"
              .formatted(file),
          e);
    } catch (IOException e) {
      throw new IOException("master key file %s cannot be read: %s".formatted(file, e), e);
    }
    return parse(text, "master key file " + file + " does not hold");
  }

  /**
   * Reads an environment variable: 64 hexadecimal digits.
   *
   * @param environment of the process
   * @throws IOException when it is not set or holds something else; the message says what to do
   */
  public static MasterKey read(String variable, Map<String, String> environment)
      throws IOException {
    String text = environment.get(variable);
    if (text == null || text.isBlank()) {
      throw new IOException(
          "environment variable %s, which is to hold the master key, is not set: set it for the process that runs Postern"
              .formatted(variable));
    }
    return parse(text.strip(), "environment variable " + variable + " does not hold");
  }

  /**
   * Reads what a program prints: 64 hexadecimal digits.
   *
   * @throws IOException when it fails, takes too long or prints something else; the message says
   *     what the program complained about
   */
  public static MasterKey read(KeyCommand command) throws IOException {
    return parse(
        command.run(), "the program for the master key, " + command.program() + ", does not print");
  }

  // The text is in no message: it may be a key but for one digit.
  private static MasterKey parse(String text, String complaint) throws IOException {
    if (!text.matches("[0-9a-fA-F]{64}")) {
      throw new IOException(
          complaint
              + " 64 hexadecimal digits (32 bytes), but %d characters".formatted(text.length()));
    }
    return of(HexFormat.of().parseHex(text));
  }

  /**
   * Makes a key file, readable by its owner only, with a fresh key. It replaces nothing, and is
   * either there as a whole, also after a power cut, or not at all: what is wrapped under a key
   * that was lost is lost.
   */
  public static MasterKey create(Path file) throws IOException {
    if (Files.exists(file)) {
      throw new FileAlreadyExistsException(file.toString());
    }
    byte[] bytes = Aead.random(Aead.KEY_BYTES);
    ByteBuffer text =
        ByteBuffer.wrap(
            (HexFormat.of().formatHex(bytes) + "\n").getBytes(StandardCharsets.US_ASCII));
    Path part = file.resolveSibling(file.getFileName() + ".part");
    Files.deleteIfExists(part);
    try (FileChannel channel =
        FileChannel.open(
            part,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      while (text.hasRemaining()) {
        channel.write(text);
      }
      channel.force(true);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
    return of(bytes);
  }

  @Override
  public String toString() {
    return "MasterKey[" + id + "]";
  }
}
