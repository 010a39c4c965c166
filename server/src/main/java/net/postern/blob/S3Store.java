package net.postern.blob;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import net.postern.blob.S3Pieces.Slice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Objects in a bucket of an S3 server; the key is the prefix and the object's name.
 *
 * <p>S3 cannot append, so an object that grows is kept in <em>pieces</em> ({@link S3Pieces}), one
 * for each append. When it ends, one whole object takes their place: it is written first, the
 * pieces that it covers are deleted afterwards, and who reads asks for the whole one first, and for
 * what it lacks in pieces that reach beyond it. So at every step each appended byte can be read,
 * whatever is cut off. Pieces that a crash leaves are put together days later, and unfinished
 * uploads are deleted then ({@link S3Joiner}), by a process that {@link #keepTidy} was said to.
 *
 * <p>On a bucket that keeps versions, what is deleted or replaced is deleted in all its versions,
 * except what is locked ({@link S3Settings.Lock}). Only whole objects of the kind {@code segments}
 * are ever locked: keys have to stay erasable.
 */
public final class S3Store implements ObjectStore, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(S3Store.class);

  private static final Pattern NAME = Pattern.compile("[a-z0-9]+/[a-z0-9][a-z0-9-]{2,80}");

  /** The kind of object that may be locked. */
  private static final String LOCKED_KIND = "segments/";

  /** Above it an object is uploaded in parts. */
  private static final int SINGLE_BYTES = 16 << 20;

  /** Bounds what a store costs: 25 requests a second while mail comes without a pause. */
  private static final Duration PACE = Duration.ofMillis(40);

  /** How long a node's growing object waits for the part before, when it sends the next one. */
  private static final Duration PART_PATIENCE = Duration.ofSeconds(1);

  /** Pieces of one object that are read at once. */
  private static final int READERS = 8;

  /** Objects whose pieces are remembered, for reading what another process writes or left. */
  private static final int KNOWN_OBJECTS = 64;

  /** Behind an object's name: greater than what begins a piece's offset, a dot. */
  private static final String BEHIND_PIECES = "/";

  /** Locks for changes to whole objects. */
  private static final int CHANGES = 256;

  /** Time that closing leaves to objects that are being put together. */
  private static final Duration CLOSING = Duration.ofSeconds(10);

  private final S3Settings settings;
  private final Clock clock;
  private final Duration partPatience;
  private final S3Calls calls;
  private final S3Removal removal;
  private final S3Joiner joiner;
  private final ExecutorService threads;

  // Objects that this process writes or is putting together.
  private final Map<String, S3Pieces> growing = new ConcurrentHashMap<>();
  private final Cache<String, S3Pieces> known =
      Caffeine.newBuilder()
          .maximumSize(KNOWN_OBJECTS)
          .expireAfterWrite(Duration.ofMinutes(1))
          .build();

  // One for some of the objects each: held while a whole object is written or deleted.
  private final ReentrantLock[] changes = new ReentrantLock[CHANGES];

  private volatile boolean tidies;

  // Whether the server can refuse to replace; some cannot.
  private volatile boolean conditional = true;

  /** Makes a store without asking the server anything; see {@link #check}. */
  public S3Store(S3Settings settings) {
    this(settings, Clock.systemUTC());
  }

  S3Store(S3Settings settings, Clock clock) {
    this(settings, clock, PART_PATIENCE);
  }

  /**
   * Makes a store.
   *
   * @param partPatience how long a growing object waits for the part before, when it sends the next
   *     one; beyond that it is made whole of its pieces
   */
  S3Store(S3Settings settings, Clock clock, Duration partPatience) {
    this.settings = settings;
    this.partPatience = partPatience;
    Arrays.setAll(changes, i -> new ReentrantLock());
    this.clock = clock;
    this.calls = new S3Calls(settings);
    this.removal = new S3Removal(settings, calls, clock);
    this.joiner = new S3Joiner(this, calls, removal, clock);
    this.threads =
        Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("s3-" + settings.name() + "-", 0).factory());
  }

  /**
   * Asks the server whether the store can be used.
   *
   * @throws IOException when it cannot now; the message says what to do
   */
  public void check() throws IOException {
    calls.check(settings.prefix());
    removal.versioned();
  }

  S3Settings settings() {
    return settings;
  }

  /** What it has cost since it was opened. */
  public S3Requests requests() {
    return calls.count();
  }

  /** How many objects that have ended are still in pieces. */
  int inPieces() {
    return joiner.unfinished() + joiner.left();
  }

  /** How many of them are being worked on, or wait for it. */
  int unfinished() {
    return joiner.unfinished();
  }

  /**
   * Lets this process look for left-overs once a day, when it lists the store. For a node: who only
   * looks at a store changes nothing in it.
   */
  public void keepTidy() {
    tidies = true;
  }

  /** Does now what is done once a day. */
  void tidy() throws IOException {
    joiner.tidy(settings.prefix());
  }

  /** Puts together what the server has of one object, as it is done for left-overs. */
  void joinLeftOver(String object) throws IOException {
    joiner.join(object);
  }

  @Override
  public String name() {
    return settings.name();
  }

  @Override
  public Duration pace() {
    return PACE;
  }

  @Override
  public long usableBytes() {
    return Long.MAX_VALUE;
  }

  @Override
  public String toString() {
    return settings.toString();
  }

  @Override
  public void put(String object, ByteBuffer content) throws IOException {
    S3Calls.Body body = S3Calls.Body.of(content);
    whole(
        object,
        () -> {
          if (body.length() <= SINGLE_BYTES) {
            return calls.put(key(object), body, lockUntil(object));
          }
          S3Upload upload = upload(object);
          upload.add(body);
          return upload.finish();
        });
    content.position(content.limit());
  }

  /** Writes a whole object; gives back its version. */
  @FunctionalInterface
  private interface Writing {
    Optional<String> write() throws IOException;
  }

  private void whole(String object, Writing writing) throws IOException {
    alone(
        object,
        () -> {
          Optional<String> version = writing.write();
          forget(object);
          removal.pieces(key(object));
          removeOlder(object, version);
        });
  }

  /** Uploads in parts: at most two of them are in memory. */
  @Override
  public Replacement replace(String object) {
    S3Upload upload = upload(object);
    return new Replacement() {
      @Override
      public void write(ByteBuffer content) throws IOException {
        upload.add(S3Calls.Body.of(content));
        if (upload.givenUp()) {
          upload.finish();
        }
        content.position(content.limit());
      }

      @Override
      public void commit() throws IOException {
        whole(object, upload::finish);
        committed = true;
      }

      private boolean committed;

      @Override
      public void close() {
        if (!committed) {
          upload.giveUp();
        }
      }
    };
  }

  // What was known of pieces is no longer so.
  private void forget(String object) {
    growing.remove(object);
    known.invalidate(object);
  }

  /** Something that writes or deletes a whole object. */
  @FunctionalInterface
  interface Change {
    void make() throws IOException;
  }

  /**
   * Makes a change to a whole object while this process makes no other to the same one: what is put
   * together in the background must not replace what was put meanwhile, which may hold more.
   */
  void alone(String object, Change change) throws IOException {
    ReentrantLock lock = changes[Math.floorMod(object.hashCode(), changes.length)];
    lock.lock();
    try {
      change.make();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public byte[] range(String object, long offset, int length) throws IOException {
    if (length == 0) {
      long end = length(object);
      if (offset > end) {
        throw new EOFException(
            "store %s: %s ends at %d, before %d".formatted(name(), object, end, offset));
      }
      return new byte[0];
    }
    Optional<byte[]> found = fromKnownPieces(object, offset, length);
    if (found.isEmpty()) {
      found = fromWhole(object, offset, length);
    }
    if (found.isEmpty()) {
      Extent extent = extent(object);
      if (extent.whole().isEmpty() && !extent.pieces().isEmpty()) {
        known.put(object, extent.pieces());
        found = read(object, extent.pieces(), offset, length);
      }
    }
    if (found.isEmpty()) {
      // There is nothing, or the whole has just taken the pieces' place.
      known.invalidate(object);
      found = fromWhole(object, offset, length);
    }
    return found.orElseThrow(() -> missing(object));
  }

  // From the whole object, and from pieces where they reach beyond it. Empty when there is no whole
  // one, or when it has just been written anew.
  private Optional<byte[]> fromWhole(String object, long offset, int length) throws IOException {
    String key = key(object);
    try {
      return calls.get(key, offset, length);
    } catch (EOFException e) {
      Extent extent = extent(object);
      long whole = extent.whole().orElse(0);
      if (extent.length() < offset + length || whole >= offset + length) {
        throw e;
      }
      int first = (int) Math.max(0, whole - offset);
      Optional<byte[]> behind = read(object, extent.pieces(), offset + first, length - first);
      if (first == 0 || behind.isEmpty()) {
        return behind;
      }
      Optional<byte[]> before = calls.get(key, offset, first);
      return before.map(
          bytes ->
              ByteBuffer.allocate(length).put(bytes).put(behind.get(), 0, length - first).array());
    }
  }

  private Optional<byte[]> fromKnownPieces(String object, long offset, int length)
      throws IOException {
    S3Pieces own = growing.get(object);
    if (own != null && !own.isEmpty()) {
      return read(object, own, offset, length);
    }
    S3Pieces others = known.getIfPresent(object);
    if (others == null) {
      return Optional.empty();
    }
    try {
      Optional<byte[]> found = read(object, others, offset, length);
      if (found.isPresent()) {
        return found;
      }
    } catch (IOException e) {
      LOG.debug("store {}: what was known of {} is out of date", name(), object, e);
    }
    known.invalidate(object);
    return Optional.empty();
  }

  // Empty when a piece is gone.
  private Optional<byte[]> read(String object, S3Pieces pieces, long offset, int length)
      throws IOException {
    List<Slice> slices = pieces.slices("store " + name() + ": " + object, offset, length);
    byte[] bytes = new byte[length];
    AtomicInteger next = new AtomicInteger();
    AtomicBoolean gone = new AtomicBoolean();
    List<Future<?>> readers = new ArrayList<>();
    for (int i = 1; i < Math.min(READERS, slices.size()); i++) {
      readers.add(threads.submit(() -> readSlices(object, slices, next, gone, bytes)));
    }
    try {
      readSlices(object, slices, next, gone, bytes);
      for (Future<?> reader : readers) {
        reader.get();
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while reading " + object, e);
    }
    return gone.get() ? Optional.empty() : Optional.of(bytes);
  }

  private boolean readSlices(
      String object, List<Slice> slices, AtomicInteger next, AtomicBoolean gone, byte[] into)
      throws IOException {
    for (int i = next.getAndIncrement();
        i < slices.size() && !gone.get();
        i = next.getAndIncrement()) {
      Slice slice = slices.get(i);
      Optional<byte[]> part =
          calls.get(S3Pieces.key(key(object), slice.piece()), slice.from(), slice.length());
      if (part.isEmpty()) {
        gone.set(true);
      } else {
        System.arraycopy(part.get(), 0, into, slice.to(), slice.length());
      }
    }
    return gone.get();
  }

  @Override
  public long length(String object) throws IOException {
    S3Pieces own = growing.get(object);
    if (own != null && !own.isEmpty()) {
      return own.length();
    }
    Extent extent = extent(object);
    if (extent.isEmpty()) {
      throw missing(object);
    }
    return extent.length();
  }

  private NoSuchFileException missing(String object) {
    return new NoSuchFileException(object, null, "store " + name() + " has no such object");
  }

  @Override
  public void list(String kind, Consumer<Listed> each) throws IOException {
    list(kind, "", each);
    if (tidies) {
      joiner.tidyWhenDue(settings.prefix());
    }
  }

  @Override
  public void list(String kind, String prefix, Consumer<Listed> each) throws IOException {
    String beginning = kind + "/" + prefix;
    // Objects of which pieces may still come; keys come in the order of their bytes.
    Map<String, Long> open = new LinkedHashMap<>();
    calls.list(
        settings.prefix() + beginning,
        entry -> {
          String found = entry.key().substring(settings.prefix().length());
          Optional<S3Pieces.Name> piece = S3Pieces.parse(found);
          String object = piece.map(S3Pieces.Name::object).orElse(found);
          long end = piece.map(S3Pieces.Name::offset).orElse(0L) + entry.length();
          handOver(open, name -> found.compareTo(name + BEHIND_PIECES) >= 0, each);
          if (isObject(object) && object.startsWith(beginning)) {
            open.merge(object, end, Math::max);
          }
        });
    handOver(open, name -> true, each);
  }

  private static void handOver(
      Map<String, Long> open, Predicate<String> complete, Consumer<Listed> each) {
    for (String object : List.copyOf(open.keySet())) {
      if (complete.test(object)) {
        each.accept(new Listed(object, Objects.requireNonNull(open.remove(object))));
      }
    }
  }

  @Override
  public void delete(String object) throws IOException {
    String key = key(object);
    alone(
        object,
        () -> {
          forget(object);
          removal.object(key);
        });
  }

  @Override
  public Appender append(String object) throws IOException {
    String key = key(object);
    if (growing.containsKey(object)
        || calls.head(key).isPresent()
        || !listPieces(object).isEmpty()) {
      throw exists(object);
    }
    S3Pieces pieces = new S3Pieces();
    growing.put(object, pieces);
    return new S3Appender(
        this,
        object,
        pieces,
        new S3Upload(calls, threads, key, () -> lockUntil(object), partPatience.toMillis()));
  }

  private IOException exists(String object) {
    return new IOException("store " + name() + ": object exists already: " + object);
  }

  /**
   * Waits until the objects that have ended are whole, for ten seconds at most: the rest stays in
   * pieces.
   */
  @Override
  public void close() {
    try {
      if (!joiner.await(CLOSING)) {
        LOG.warn("store {}: {} objects stay in pieces", name(), joiner.unfinished());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    threads.shutdownNow();
    calls.close();
  }

  // ---- for the appender and the joiner ----

  /** Writes a piece; the first one only when there is none. */
  void putPiece(String object, long offset, S3Calls.Body body) throws IOException {
    String key = S3Pieces.key(key(object), offset);
    if (offset > 0 || !conditional) {
      calls.put(key, body, Optional.empty());
      return;
    }
    switch (calls.putFresh(key, body)) {
      case WRITTEN -> {}
      case TAKEN -> {
        // By our own first try, when its answer was lost; or by somebody else.
        byte[] there = calls.get(key, 0, body.length()).orElse(new byte[0]);
        int end = body.offset() + body.length();
        if (!Arrays.equals(there, 0, there.length, body.array(), body.offset(), end)) {
          throw exists(object);
        }
      }
      case UNKNOWN -> {
        conditional = false;
        calls.put(key, body, Optional.empty());
      }
    }
  }

  void removePiece(String object, long offset) throws IOException {
    removal.one(S3Pieces.key(key(object), offset));
  }

  void shortenPiece(String object, long offset, int length) throws IOException {
    String key = S3Pieces.key(key(object), offset);
    byte[] bytes =
        calls.get(key, 0, length).orElseThrow(() -> new IOException("piece is gone: " + key));
    removal.before(key, calls.put(key, new S3Calls.Body(bytes, 0, length), Optional.empty()));
  }

  /** Ends a growing object. */
  void finish(String object, S3Pieces pieces, S3Upload upload, boolean broken) {
    if (broken || pieces.isEmpty()) {
      upload.giveUp();
      growing.remove(object);
      if (!pieces.isEmpty()) {
        joiner.leave(object, "a write to it failed");
      }
      return;
    }
    joiner.finish(object, pieces, upload);
  }

  S3Upload upload(String object) {
    return new S3Upload(calls, threads, key(object), () -> lockUntil(object), Integer.MAX_VALUE);
  }

  void background(Runnable work) {
    threads.execute(work);
  }

  S3Pieces listPieces(String object) throws IOException {
    return extent(object).pieces();
  }

  /**
   * What the server has of an object. The whole one counts as far as it reaches, pieces beyond it.
   *
   * @param whole length of the whole object, if there is one
   */
  record Extent(OptionalLong whole, S3Pieces pieces) {
    boolean isEmpty() {
      return whole.isEmpty() && pieces.isEmpty();
    }

    /** Where the last byte of it ends. */
    long length() {
      return Math.max(whole.orElse(0), pieces.length());
    }
  }

  Extent extent(String object) throws IOException {
    String key = key(object);
    S3Pieces pieces = new S3Pieces();
    long[] whole = {-1};
    calls.list(
        key,
        entry -> {
          if (entry.key().equals(key)) {
            whole[0] = entry.length();
          } else {
            S3Pieces.parse(entry.key())
                .filter(name -> name.object().equals(key))
                .ifPresent(name -> pieces.add(name.offset(), (int) entry.length()));
          }
        });
    // A long listing may have passed the key before the whole was written, and meet pieces while
    // they are deleted.
    return new Extent(
        whole[0] >= 0
            ? OptionalLong.of(whole[0])
            : pieces.isEmpty() ? OptionalLong.empty() : calls.head(key),
        pieces);
  }

  /** Deletes what an object that was just written has replaced, but for what is locked. */
  void removeOlder(String object, Optional<String> written) throws IOException {
    if (lockUntil(object).isEmpty()) {
      removal.before(key(object), written);
    }
  }

  /** The object is whole, or is left in pieces: who reads asks the server. */
  void ended(String object) {
    growing.remove(object);
  }

  boolean isGrowing(String object) {
    return growing.containsKey(object);
  }

  boolean isObject(String object) {
    return NAME.matcher(object).matches();
  }

  String key(String object) {
    if (!isObject(object)) {
      throw new IllegalArgumentException("no object name: " + object);
    }
    return settings.prefix() + object;
  }

  private Optional<Instant> lockUntil(String object) {
    return settings
        .lock()
        .filter(lock -> object.startsWith(LOCKED_KIND))
        .map(lock -> clock.instant().plus(lock.time()).truncatedTo(ChronoUnit.SECONDS));
  }
}
