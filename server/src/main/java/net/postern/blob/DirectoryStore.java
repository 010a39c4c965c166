package net.postern.blob;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Objects as files: {@code ROOT/kind/first two characters/name}. Durable by fsync of the file and
 * of each directory that got a new entry.
 */
public final class DirectoryStore implements ObjectStore {
  private static final Pattern NAME = Pattern.compile("[a-z0-9]+/[a-z0-9][a-z0-9-]{2,80}");
  private static final String UNFINISHED = ".part";

  /** Most characters of a stray's path that its name as an object repeats. */
  private static final int TOLD = 40;

  /**
   * Most bytes in one write. Java copies a heap buffer to direct memory for each write and keeps
   * that copy for the thread: unbounded, a few large messages would use it up.
   */
  private static final int WRITE_BYTES = 1 << 20;

  private final String name;
  private final Path root;

  // Directories whose way up to the root is known to be on the disk. One that is merely there may
  // have been made a moment ago, by another thread or by a process that died before its sync.
  private final Set<Path> synced = ConcurrentHashMap.newKeySet();

  /**
   * Opens a store, making its directory when it is missing.
   *
   * @throws IOException when the directory cannot be made or written, with a message that says so
   */
  public DirectoryStore(String name, Path root) throws IOException {
    this.name = name;
    this.root = root;
    try {
      if (!Files.isDirectory(root)) {
        Files.createDirectories(root);
        for (Path up = root.toAbsolutePath().getParent(); up != null; up = up.getParent()) {
          if (!Files.isReadable(up)) {
            break;
          }
          syncDirectory(up);
        }
      }
    } catch (IOException e) {
      throw new IOException("store %s: cannot make directory %s: %s".formatted(name, root, e), e);
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
    try (Replacement replacement = replace(object)) {
      replacement.write(content);
      replacement.commit();
    }
  }

  @Override
  public Replacement replace(String object) throws IOException {
    Path directory = makeDirectory(object);
    Path file = file(object);
    Path part = directory.resolve(file.getFileName() + "." + UUID.randomUUID() + UNFINISHED);
    FileChannel channel =
        FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    return new FileReplacement(channel, part, file, directory);
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
    try (FileChannel channel = open(object)) {
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
    try {
      return Files.size(file(object));
    } catch (NoSuchFileException e) {
      requireRoot(e);
      throw e;
    }
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    list(kind, "", each);
  }

  @Override
  public void list(String kind, String prefix, Consumer<Listed> each) throws IOException {
    Path directory = root.resolve(kind);
    if (!Files.isDirectory(directory)) {
      // A store that was emptied has no object; a missing root is a missing store.
      requireRoot(new NoSuchFileException(root.toString()));
      return;
    }
    try (DirectoryStream<Path> groups = Files.newDirectoryStream(directory, Files::isDirectory)) {
      String start = prefix.substring(0, Math.min(2, prefix.length()));
      for (Path group : groups) {
        if (group.getFileName().toString().startsWith(start)) {
          list(kind, prefix, group, each);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private void list(String kind, String prefix, Path group, Consumer<Listed> each)
      throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(group)) {
      for (Path file : files) {
        String object = kind + "/" + file.getFileName();
        // Unfinished writes and what people or their tools leave lying about are no objects.
        if (!isObject(object, group) || !object.startsWith(prefix, kind.length() + 1)) {
          continue;
        }
        try {
          each.accept(new Listed(object, Files.size(file)));
        } catch (NoSuchFileException e) {
          // Deleted since the directory was read.
        }
      }
    }
  }

  private boolean isObject(String object, Path group) {
    return NAME.matcher(object).matches() && group.equals(directory(object));
  }

  @Override
  public void strays(String kind, Consumer<Stray> each) throws IOException {
    Path directory = root.resolve(kind);
    if (!isRealDirectory(directory)) {
      requireRoot(new NoSuchFileException(root.toString()));
      return;
    }
    try (DirectoryStream<Path> groups = Files.newDirectoryStream(directory)) {
      for (Path group : groups) {
        if (isRealDirectory(group)) {
          strays(directory, group, each);
        } else {
          stray(group, each);
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private void strays(Path kind, Path group, Consumer<Stray> each) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(group)) {
      for (Path file : files) {
        String object = kind.getFileName() + "/" + file.getFileName();
        if (!isObject(object, group) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          stray(file, each);
        }
      }
    }
  }

  private void stray(Path file, Consumer<Stray> each) throws IOException {
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      each.accept(
          new Stray(
              root.relativize(file).toString(),
              attributes.size(),
              attributes.lastModifiedTime().toInstant(),
              attributes.isRegularFile() && file.toString().endsWith(UNFINISHED)));
    } catch (NoSuchFileException e) {
      // Finished or removed since the directory was read.
    }
  }

  @Override
  public void clear(Stray stray) throws IOException {
    Path file = root.resolve(stray.path()).normalize();
    if (!file.startsWith(root.normalize()) || file.equals(root.normalize())) {
      throw new IllegalArgumentException("no path below the store: " + stray.path());
    }
    if (stray.unfinished()) {
      Files.deleteIfExists(file);
      return;
    }
    String told = stray.path().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    told = told.replaceAll("^-|-$", "");
    String object =
        ASIDE + "/" + told.substring(0, Math.min(TOLD, told.length())) + UUID.randomUUID();
    Path directory = makeDirectory(object);
    Files.move(file, file(object), StandardCopyOption.ATOMIC_MOVE);
    syncDirectory(directory);
    Path from = file.getParent();
    if (from != null) {
      syncDirectory(from);
    }
  }

  private static boolean isRealDirectory(Path path) {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
  }

  @Override
  public void delete(String object) throws IOException {
    boolean deleted = Files.deleteIfExists(file(object));
    deleted |= deleteUnfinished(object);
    if (deleted) {
      syncDirectory(directory(object));
    } else {
      requireRoot(new NoSuchFileException(object));
    }
  }

  // What a write that was cut off left behind has the content too: it must go with the object.
  private boolean deleteUnfinished(String object) throws IOException {
    boolean deleted = false;
    Path file = file(object);
    try (DirectoryStream<Path> parts =
        Files.newDirectoryStream(directory(object), file.getFileName() + ".*" + UNFINISHED)) {
      for (Path part : parts) {
        deleted |= Files.deleteIfExists(part);
      }
    } catch (NoSuchFileException e) {
      return false;
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return deleted;
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
    boolean there = Files.isDirectory(directory);
    if (there && synced.contains(directory)) {
      return directory;
    }
    // A root that went away (unmounted disk) must not be quietly replaced by an empty one.
    requireRoot(new NoSuchFileException(root.toString()));
    if (!there) {
      Files.createDirectories(directory);
    }
    syncDirectory(kind(object));
    syncDirectory(root);
    synced.add(directory);
    return directory;
  }

  private FileChannel open(String object) throws IOException {
    try {
      return FileChannel.open(file(object), StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      requireRoot(e);
      throw e;
    }
  }

  // "There is no such object" is an answer; it must not be given by a store that is not there.
  private void requireRoot(NoSuchFileException cause) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new IOException("store %s: its directory %s is gone".formatted(name, root), cause);
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer content) throws IOException {
    int end = content.limit();
    while (content.position() < end) {
      content.limit(Math.min(end, content.position() + WRITE_BYTES));
      channel.write(content);
      content.limit(end);
    }
  }

  private static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** A file beside the one that it is to be, until it is complete and synced. */
  private static final class FileReplacement implements Replacement {
    private final FileChannel channel;
    private final Path file;
    private final Path directory;
    private Optional<Path> part;

    FileReplacement(FileChannel channel, Path part, Path file, Path directory) {
      this.channel = channel;
      this.part = Optional.of(part);
      this.file = file;
      this.directory = directory;
    }

    @Override
    public void write(ByteBuffer content) throws IOException {
      writeFully(channel, content);
    }

    @Override
    public void commit() throws IOException {
      channel.force(true);
      channel.close();
      Files.move(
          part.orElseThrow(),
          file,
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
      part = Optional.empty();
      syncDirectory(directory);
    }

    @Override
    public void close() throws IOException {
      channel.close();
      if (part.isPresent()) {
        Files.deleteIfExists(part.get());
      }
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
      writeFully(channel, content);
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
