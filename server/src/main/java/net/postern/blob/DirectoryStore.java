package net.postern.blob;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Objects as files: {@code ROOT/kind/first two characters/name}. Durable by fsync of the file and
 * of each directory that got a new entry.
 */
public final class DirectoryStore implements ObjectStore {
  private static final Pattern NAME = Pattern.compile("[a-z0-9]+/[a-z0-9][a-z0-9-]{2,80}");
  private static final String UNFINISHED = ".part";

  private final String name;
  private final Path root;

  /**
   * Opens a store, making its directory when it is missing.
   *
   * @throws IOException when the directory cannot be made or written, with a message that says so
   */
  public DirectoryStore(String name, Path root) throws IOException {
    this.name = name;
    this.root = root;
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw new IOException(
          "store %s: cannot make directory %s: %s".formatted(name, root, e.getMessage()), e);
    }
    if (!Files.isWritable(root)) {
      throw new IOException(
          "store %s: no permission to write in %s; give it to the user that runs Postern"
              .formatted(name, root));
    }
  }

  @Override
  public String name() {
    return name;
  }

  /** The directory that holds everything of this store. */
  public Path root() {
    return root;
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    Path directory = makeDirectory(object);
    Path file = file(object);
    Path part = directory.resolve(file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
    try {
      try (FileChannel channel =
          FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        while (content.hasRemaining()) {
          channel.write(content);
        }
        channel.force(true);
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      try {
        Files.deleteIfExists(part);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    syncDirectory(directory);
  }

  @Override
  public Appender append(String object) throws IOException {
    Path directory = makeDirectory(object);
    Path file = file(object);
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException e) {
      throw new IOException("store " + name + ": object exists already: " + object, e);
    }
    try {
      syncDirectory(directory);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    return new FileAppender(channel);
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    try (FileChannel channel = FileChannel.open(file(object), StandardOpenOption.READ)) {
      ByteBuffer buffer = ByteBuffer.allocate(length);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, offset + buffer.position()) < 0) {
          throw new EOFException(
              "store %s: %s ends at %d, before %d"
                  .formatted(name, object, channel.size(), offset + length));
        }
      }
      return buffer.array();
    }
  }

  @Override
  public long length(String object) throws IOException {
    return Files.size(file(object));
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    Path directory = root.resolve(kind);
    if (!Files.isDirectory(directory)) {
      // A store that was emptied or unmounted has no object; a missing root is a missing store.
      if (!Files.isDirectory(root)) {
        throw new NoSuchFileException(root.toString());
      }
      return;
    }
    try (DirectoryStream<Path> groups = Files.newDirectoryStream(directory)) {
      for (Path group : groups) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(group)) {
          for (Path file : files) {
            String fileName = file.getFileName().toString();
            if (!fileName.endsWith(UNFINISHED)) {
              each.accept(new Listed(kind + "/" + fileName, Files.size(file)));
            }
          }
        }
      }
    }
  }

  @Override
  public void delete(String object) throws IOException {
    if (Files.deleteIfExists(file(object))) {
      syncDirectory(directory(object));
    }
  }

  @Override
  public long usableBytes() throws IOException {
    return Files.getFileStore(root).getUsableSpace();
  }

  @Override
  public String toString() {
    return name + " (" + root + ")";
  }

  private Path kind(String object) {
    if (!NAME.matcher(object).matches()) {
      throw new IllegalArgumentException("no object name: " + object);
    }
    return root.resolve(object.substring(0, object.indexOf('/')));
  }

  private Path directory(String object) {
    int slash = object.indexOf('/');
    return kind(object).resolve(object.substring(slash + 1, slash + 3));
  }

  private Path file(String object) {
    return directory(object).resolve(object.substring(object.indexOf('/') + 1));
  }

  private Path makeDirectory(String object) throws IOException {
    Path directory = directory(object);
    if (!Files.isDirectory(directory)) {
      // A root that went away (unmounted disk) must not be quietly replaced by an empty one.
      if (!Files.isDirectory(root)) {
        throw new NoSuchFileException(root.toString(), null, "the store's directory is gone");
      }
      Files.createDirectories(directory);
      syncDirectory(kind(object));
      syncDirectory(root);
    }
    return directory;
  }

  private static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Appends with one write and one fdatasync for each call. */
  private static final class FileAppender implements Appender {
    private final FileChannel channel;

    FileAppender(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    public void append(ByteBuffer content) throws IOException {
      while (content.hasRemaining()) {
        channel.write(content);
      }
      channel.force(false);
    }

    @Override
    public void truncate(long length) throws IOException {
      channel.truncate(length);
      channel.position(length);
      channel.force(true);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
