package net.postern.vault;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.blob.ObjectStore;

/**
 * The copies of one segment, read as one. All copies have the same bytes at the same offsets, as
 * far as they go; they differ in where a crash or a failing disk cut or damaged them. So a frame
 * may be taken from any copy in which its digest is right, and the whole frames of all copies
 * together are what there is: no copy is "the best". Where a frame is whole in none, the copies
 * vote ({@link Vote}).
 *
 * <p>Memory is bounded by the largest frame, not by the segment.
 */
final class SegmentCopies {
  private static final byte[] MAGIC = "PFRM".getBytes(StandardCharsets.US_ASCII);

  /** Longest frame that is voted on. */
  private static final int VOTED_BYTES = 64 << 20;

  private final UUID segment;
  private final List<Copy> copies;
  private final List<ObjectStore> missing;
  private final int asked;

  /**
   * One copy.
   *
   * @param object where it is; another object's name when the two were exchanged
   */
  record Copy(ObjectStore store, String object, long length, Head head) {}

  /** What a copy begins with. */
  sealed interface Head {
    /** An undamaged header of a segment: hopefully of this one. */
    record Good(Segment.Header header, byte[] bytes) implements Head {}

    /** Something else, or too little. */
    record Bad(byte[] bytes) implements Head {}

    /** The store does not say. */
    record Unreadable() implements Head {}
  }

  /** Gets the frames of a walk. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param frame all bytes of an undamaged frame
     */
    void frame(Place place, FrameCodec.Header header, byte[] frame) throws IOException;
  }

  private SegmentCopies(UUID segment, List<Copy> copies, List<ObjectStore> missing, int asked) {
    this.segment = segment;
    this.copies = copies;
    this.missing = missing;
    this.asked = asked;
  }

  /**
   * Asks stores for their copies.
   *
   * @throws IOException when no store has one
   */
  static SegmentCopies find(List<? extends ObjectStore> stores, UUID segment) throws IOException {
    IOException failure = new IOException("no store can give segment " + segment);
    SegmentCopies found = ask(stores, segment, failure);
    if (found.copies.isEmpty()) {
      throw failure;
    }
    return found;
  }

  /** Asks stores for their copies; there may be none. */
  static SegmentCopies ask(List<? extends ObjectStore> stores, UUID segment) {
    return ask(stores, segment, new IOException("unused"));
  }

  private static SegmentCopies ask(
      List<? extends ObjectStore> stores, UUID segment, IOException failure) {
    String object = Segment.object(segment);
    List<Copy> copies = new ArrayList<>();
    List<ObjectStore> missing = new ArrayList<>();
    for (ObjectStore store : stores) {
      try {
        long length = store.length(object);
        copies.add(new Copy(store, object, length, head(store, object, length)));
      } catch (NoSuchFileException e) {
        missing.add(store);
        failure.addSuppressed(e);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    return new SegmentCopies(segment, copies, missing, copies.size() + missing.size());
  }

  private static Head head(ObjectStore store, String object, long length) {
    byte[] bytes;
    try {
      bytes = store.range(object, 0, (int) Math.min(length, Segment.HEADER));
    } catch (IOException e) {
      return new Head.Unreadable();
    }
    try {
      return new Head.Good(Segment.readHeader(bytes), bytes);
    } catch (IOException e) {
      return new Head.Bad(bytes);
    }
  }

  /** These copies without some, and with others that are to be found under other names. */
  SegmentCopies with(List<Copy> more, List<Copy> without) {
    List<Copy> all = new ArrayList<>(copies);
    all.removeAll(without);
    all.addAll(more);
    return new SegmentCopies(segment, all, missing, asked);
  }

  /** The copies that were found. */
  List<Copy> all() {
    return copies;
  }

  /** Stores that said that they have none. */
  List<ObjectStore> missing() {
    return missing;
  }

  /** How many stores answered, with a copy or that they have none. */
  int asked() {
    return asked;
  }

  /** Copies whose header says that they are another segment. */
  List<Copy> foreign() {
    return copies.stream()
        .filter(
            copy ->
                copy.head() instanceof Head.Good good && !good.header().segment().equals(segment))
        .toList();
  }

  /** The frame that begins at an offset, from whichever copy has it whole. */
  Optional<byte[]> frame(long at) {
    for (Copy copy : copies) {
      Optional<byte[]> frame = frame(copy, at);
      if (frame.isPresent()) {
        return frame;
      }
    }
    return Optional.empty();
  }

  /**
   * A frame that is whole in some copy.
   *
   * @param voices how many copies have it, by its digest
   */
  record Candidate(byte[] frame, int voices) {}

  /**
   * The different frames that begin at an offset: more than one when copies were exchanged, or one
   * was forged.
   */
  List<Candidate> candidates(long at) {
    List<Candidate> found = new ArrayList<>();
    for (Copy copy : copies) {
      int same = -1;
      for (int i = 0; i < found.size() && same < 0; i++) {
        same = endsAlike(copy, at, found.get(i).frame()) ? i : -1;
      }
      if (same >= 0) {
        found.set(same, new Candidate(found.get(same).frame(), found.get(same).voices() + 1));
      } else {
        frame(copy, at).ifPresent(frame -> found.add(new Candidate(frame, 1)));
      }
    }
    return found;
  }

  private static boolean endsAlike(Copy copy, long at, byte[] frame) {
    long digest = at + frame.length - FrameCodec.DIGEST;
    try {
      return at + frame.length <= copy.length()
          && Arrays.equals(
              copy.store().range(copy.object(), digest, FrameCodec.DIGEST),
              Arrays.copyOfRange(frame, frame.length - FrameCodec.DIGEST, frame.length));
    } catch (IOException e) {
      return false;
    }
  }

  // The frame that begins at an offset of one copy, if it is whole there.
  private static Optional<byte[]> frame(Copy copy, long at) {
    try {
      return read(copy, at);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  // The same; fails when the store does.
  private static Optional<byte[]> read(Copy copy, long at) throws IOException {
    if (at + FrameCodec.MIN_FRAME > copy.length()) {
      return Optional.empty();
    }
    int length = headLength(copy.store().range(copy.object(), at, FrameCodec.FIXED));
    if (length < 0 || at + length > copy.length()) {
      return Optional.empty();
    }
    byte[] bytes = copy.store().range(copy.object(), at, length);
    return isWhole(bytes) ? Optional.of(bytes) : Optional.empty();
  }

  /**
   * What a walk came to.
   *
   * @param end where the last frame ends; the length of a header when there is none
   * @param gaps places, among the frames or behind them, where something is that is whole in no
   *     copy; what a crash cut off is none
   * @param unread copies that could not be read where none had a whole frame: they may have one
   */
  record Walk(long end, int gaps, int unread) {}

  /**
   * Visits every frame that is whole in some copy, in order, once. The copies do not vote: mend
   * first.
   *
   * @throws IOException when the visitor fails; damage and stores that fail are passed over, and
   *     counted
   */
  Walk walk(Visitor visitor) throws IOException {
    List<CopyScan> scans = copies.stream().map(CopyScan::new).toList();
    Set<Copy> unread = new HashSet<>();
    int gaps = 0;
    long at = Segment.HEADER;
    long end = at;
    while (true) {
      Set<Copy> failed = new HashSet<>();
      Optional<byte[]> frame = first(scans, at, failed);
      if (frame.isEmpty()) {
        unread.addAll(failed);
        long next = next(at, unread);
        if (next < 0) {
          return new Walk(end, gaps + (isDamaged(scans, end, unread) ? 1 : 0), unread.size());
        }
        gaps++;
        at = next;
        continue;
      }
      byte[] bytes = frame.get();
      visitor.frame(new Place(segment, at, bytes.length), FrameCodec.header(bytes), bytes);
      at += bytes.length;
      end = at;
    }
  }

  private static Optional<byte[]> first(List<CopyScan> scans, long at, Set<Copy> failed) {
    for (CopyScan scan : scans) {
      switch (scan.look(at)) {
        case CopyScan.Look.Whole(int length, ByteBuffer _) -> {
          try {
            byte[] bytes = scan.bytes(at, length);
            FrameCodec.verify(bytes);
            return Optional.of(bytes);
          } catch (IOException e) {
            // It was whole a moment ago. Another copy may do better.
            failed.add(scan.copy());
          }
        }
        case CopyScan.Look.Nothing() -> {}
        case CopyScan.Look.Unreadable() -> failed.add(scan.copy());
      }
    }
    return Optional.empty();
  }

  private static boolean isDamaged(List<CopyScan> scans, long end, Set<Copy> unread) {
    return scans.stream()
        .anyMatch(
            scan ->
                scan.copy().length() > end && !unread.contains(scan.copy()) && !isTorn(scan, end));
  }

  // ---- all copies side by side ----

  /** Gets what a side-by-side walk finds, in order and without gaps. */
  interface Steps {
    /**
     * A frame that is whole in some copy, or that the copies agreed on.
     *
     * @param looks what each copy has here
     * @param digest of the frame that is right
     * @param voted its bytes, when no copy has it whole
     */
    void frame(
        long at, int length, ByteBuffer digest, CopyScan.Look[] looks, Optional<byte[]> voted)
        throws IOException;

    /** Something that is whole in no copy, before the next frame. */
    void gap(long from, long to, CopyScan.Look[] looks) throws IOException;

    /** Copies have different frames here, and none has more voices. */
    void undecided(long at);
  }

  /** Walks all copies side by side; returns where the last frame ends. */
  long steps(List<CopyScan> scans, Steps steps) throws IOException {
    long at = Segment.HEADER;
    CopyScan.Look[] looks = new CopyScan.Look[scans.size()];
    while (true) {
      for (int i = 0; i < looks.length; i++) {
        looks[i] = scans.get(i).look(at);
      }
      Optional<CopyScan.Look.Whole> right = elect(looks, at, steps);
      Optional<byte[]> voted = right.isPresent() ? Optional.empty() : vote(scans, at);
      if (right.isPresent()) {
        steps.frame(at, right.get().length(), right.get().digest(), looks, voted);
        at += right.get().length();
      } else if (voted.isPresent()) {
        byte[] bytes = voted.get();
        ByteBuffer digest =
            ByteBuffer.wrap(
                Arrays.copyOfRange(bytes, bytes.length - FrameCodec.DIGEST, bytes.length));
        steps.frame(at, bytes.length, digest, looks, voted);
        at += bytes.length;
      } else {
        long next = next(at, new HashSet<>());
        if (next < 0) {
          return at;
        }
        steps.gap(at, next, looks);
        at = next;
      }
    }
  }

  // Copies that have another whole frame at the same place were exchanged, or forged: most win.
  private static Optional<CopyScan.Look.Whole> elect(CopyScan.Look[] looks, long at, Steps steps) {
    Optional<CopyScan.Look.Whole> best = Optional.empty();
    int most = 0;
    boolean even = false;
    for (CopyScan.Look look : looks) {
      if (look instanceof CopyScan.Look.Whole whole && !best.equals(Optional.of(whole))) {
        int voices = 0;
        for (CopyScan.Look other : looks) {
          voices += other.equals(whole) ? 1 : 0;
        }
        even = voices == most;
        if (voices > most) {
          most = voices;
          best = Optional.of(whole);
        }
      }
    }
    if (even) {
      steps.undecided(at);
    }
    return best;
  }

  private static Optional<byte[]> vote(List<CopyScan> scans, long at) {
    List<Integer> tried = new ArrayList<>();
    List<byte[]> heads = new ArrayList<>();
    List<CopyScan> there = new ArrayList<>();
    for (CopyScan scan : scans) {
      if (at + FrameCodec.MIN_FRAME <= scan.copy().length()) {
        try {
          heads.add(scan.bytes(at, FrameCodec.FIXED));
          there.add(scan);
        } catch (IOException e) {
          // It has no voice.
        }
      }
    }
    if (there.size() < 2) {
      return Optional.empty();
    }
    List<byte[]> candidates = new ArrayList<>(heads);
    Vote.among(heads, SegmentCopies::isHead).ifPresent(candidates::add);
    for (byte[] candidate : candidates) {
      int length = headLength(candidate);
      if (length > 0 && length <= VOTED_BYTES && !tried.contains(length)) {
        tried.add(length);
        Optional<byte[]> frame = vote(there, at, length);
        if (frame.isPresent()) {
          return frame;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<byte[]> vote(List<CopyScan> scans, long at, int length) {
    List<byte[]> voices = new ArrayList<>();
    for (CopyScan scan : scans) {
      if (at + length <= scan.copy().length()) {
        try {
          voices.add(scan.bytes(at, length));
        } catch (IOException e) {
          // It has no voice.
        }
      }
    }
    return Vote.among(voices, SegmentCopies::isWhole);
  }

  private static boolean isHead(byte[] head) {
    return headLength(head) > 0;
  }

  private static int headLength(byte[] head) {
    try {
      return FrameCodec.header(head).length();
    } catch (IOException e) {
      return -1;
    }
  }

  private static boolean isWhole(byte[] frame) {
    try {
      FrameCodec.verify(frame);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  // ---- comparing ----

  /** What a comparison found of one copy. */
  static final class State {
    final Copy copy;

    /** Frames that are whole elsewhere and not here, although the copy reaches so far. */
    int damaged;

    /** Frames that the store does not give, although the copy reaches so far. */
    int unread;

    /** Frames beyond its end. */
    int lacking;

    /** Whole frames that are not those of the segment. */
    int conflicting;

    /** Whether its header is not the one that is right. */
    boolean header;

    /** Whether something that is whole in no copy cannot be read here. */
    boolean unreadable;

    /** What lies beyond the last frame. */
    Tail tail = Tail.NONE;

    State(Copy copy) {
      this.copy = copy;
    }

    /** Whether the copy is to be replaced. */
    boolean wrong() {
      return damaged + unread + lacking + conflicting > 0
          || header
          || tail == Tail.TORN
          || tail == Tail.FOREIGN;
    }

    /** Whether it may be: nothing is taken from it that cannot be read. */
    boolean replaceable() {
      return !unreadable;
    }
  }

  /** What lies beyond the last whole frame of a copy. */
  enum Tail {
    NONE,
    /** A write that was cut off. */
    TORN,
    /** What only this copy has, and no write of ours can have left. */
    FOREIGN,
    /** What may be a damaged frame: kept. */
    DAMAGED
  }

  /**
   * What a comparison found.
   *
   * @param end where the last whole frame of any copy ends
   * @param frames how many are whole somewhere
   * @param gaps how many places before that are whole in no copy
   * @param undecided whether copies have different frames and none has more voices
   * @param header the right one
   * @param fingerprint of all frames and their places
   */
  record Comparison(
      long end,
      int frames,
      int gaps,
      boolean undecided,
      byte[] header,
      List<State> states,
      byte[] fingerprint) {

    /** Whether there is something that no copy can heal. */
    boolean lost() {
      return gaps > 0 || undecided || states.stream().anyMatch(state -> state.tail == Tail.DAMAGED);
    }
  }

  /**
   * Compares all copies, frame by frame.
   *
   * @param all how many stores there are to be
   */
  Comparison compare(int all) throws IOException {
    List<CopyScan> scans = copies.stream().map(CopyScan::new).toList();
    List<State> states = copies.stream().map(State::new).toList();
    byte[] header = header();
    int[] frames = {0};
    int[] gaps = {0};
    boolean[] undecided = {false};
    MessageDigest fingerprint = FrameCodec.sha256();
    long end =
        steps(
            scans,
            new Steps() {
              @Override
              public void frame(
                  long at,
                  int length,
                  ByteBuffer digest,
                  CopyScan.Look[] looks,
                  Optional<byte[]> voted) {
                frames[0]++;
                note(fingerprint, at, digest);
                for (int i = 0; i < looks.length; i++) {
                  State state = states.get(i);
                  if (looks[i] instanceof CopyScan.Look.Whole whole) {
                    state.conflicting += whole.digest().equals(digest) ? 0 : 1;
                  } else if (at + length > state.copy.length()) {
                    state.lacking++;
                  } else if (looks[i] instanceof CopyScan.Look.Unreadable) {
                    state.unread++;
                  } else {
                    state.damaged++;
                  }
                }
              }

              @Override
              public void gap(long from, long to, CopyScan.Look[] looks) {
                gaps[0]++;
                for (int i = 0; i < looks.length; i++) {
                  states.get(i).unreadable |= !readable(scans.get(i), from, to);
                }
              }

              @Override
              public void undecided(long at) {
                undecided[0] = true;
              }
            });
    boolean alone =
        states.stream().filter(state -> state.copy.length() > end).count() == 1
            && asked == all
            && gaps[0] == 0;
    for (int i = 0; i < states.size(); i++) {
      State state = states.get(i);
      state.header = !hasHeader(state.copy, header);
      if (state.copy.length() > end) {
        state.tail = tail(scans.get(i), end, gaps[0] > 0, alone);
        state.unreadable |= !readable(scans.get(i), end, state.copy.length());
      }
    }
    return new Comparison(
        end, frames[0], gaps[0], undecided[0], header, states, fingerprint.digest());
  }

  private static void note(MessageDigest fingerprint, long at, ByteBuffer digest) {
    fingerprint.update(ByteBuffer.allocate(Long.BYTES).putLong(0, at));
    fingerprint.update(digest.duplicate());
  }

  private static boolean readable(CopyScan scan, long from, long to) {
    long end = Math.min(to, scan.copy().length());
    try {
      for (long at = from; at < end; at += CopyScan.PIECE) {
        scan.bytes(at, (int) Math.min(CopyScan.PIECE, end - at));
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private Tail tail(CopyScan scan, long end, boolean gaps, boolean alone) {
    if (gaps) {
      return Tail.DAMAGED;
    }
    if (isTorn(scan, end)) {
      return Tail.TORN;
    }
    return alone ? Tail.FOREIGN : Tail.DAMAGED;
  }

  /**
   * Whether what follows the last whole frame of a copy is the beginning of one that was cut off.
   */
  static boolean isTorn(Copy copy, long end) {
    return isTorn(new CopyScan(copy), end);
  }

  // What was cut off in the middle of a write is cut off for good; what looks complete but damaged
  // is left for someone to look at.
  private static boolean isTorn(CopyScan scan, long end) {
    if (end + FrameCodec.FIXED > scan.copy().length()) {
      return true;
    }
    try {
      Optional<FrameCodec.Header> header = scan.header(end);
      return header.isPresent() && end + header.get().length() > scan.copy().length();
    } catch (IOException e) {
      return false;
    }
  }

  private boolean hasHeader(Copy copy, byte[] right) {
    return copy.head() instanceof Head.Unreadable
        || (copy.head() instanceof Head.Good good && Arrays.equals(good.bytes(), right));
  }

  // Of different good headers: a newer version, one that knows the time, one that more copies have.
  private byte[] header() {
    List<Head.Good> good = new ArrayList<>();
    List<byte[]> bad = new ArrayList<>();
    for (Copy copy : copies) {
      switch (copy.head()) {
        case Head.Good head when head.header().segment().equals(segment) -> good.add(head);
        case Head.Good _ -> {}
        case Head.Bad head -> {
          if (head.bytes().length == Segment.HEADER) {
            bad.add(head.bytes());
          }
        }
        case Head.Unreadable() -> {}
      }
    }
    if (good.isEmpty()) {
      // Without any only the time of creation is lost.
      return Vote.among(bad, this::isHeader).orElseGet(() -> Segment.header(segment, 0));
    }
    return good.stream()
        .max(
            Comparator.<Head.Good>comparingInt(head -> head.header().version())
                .thenComparing(head -> head.header().createdMillis() != 0)
                .thenComparingLong(
                    head ->
                        good.stream().filter(o -> Arrays.equals(o.bytes(), head.bytes())).count())
                .thenComparing(Head.Good::bytes, Arrays::compare))
        .orElseThrow()
        .bytes();
  }

  private boolean isHeader(byte[] bytes) {
    try {
      Segment.Header header = Segment.readHeader(bytes);
      return header.version() > 1 && header.segment().equals(segment);
    } catch (IOException e) {
      return false;
    }
  }

  // ---- composing ----

  /** Gets the bytes of a copy as it should be. */
  interface Sink {
    void write(ByteBuffer bytes);
  }

  /** What is to be written where. */
  record Target(Optional<State> now, Sink sink) {}

  /**
   * Writes what copies should have: header, every frame that is whole somewhere, and what lies
   * between and beyond as the copy itself has it.
   *
   * @throws IOException when what was found to be whole cannot be had any more; nothing that was
   *     written may be used then
   */
  void compose(Comparison found, List<Target> targets) throws IOException {
    List<CopyScan> scans = copies.stream().map(CopyScan::new).toList();
    MessageDigest fingerprint = FrameCodec.sha256();
    targets.forEach(target -> target.sink().write(ByteBuffer.wrap(found.header())));
    long end =
        steps(
            scans,
            new Steps() {
              @Override
              public void frame(
                  long at,
                  int length,
                  ByteBuffer digest,
                  CopyScan.Look[] looks,
                  Optional<byte[]> voted)
                  throws IOException {
                note(fingerprint, at, digest);
                if (voted.isPresent()) {
                  give(targets, voted.get());
                } else {
                  transfer(scans, at, length, digest, looks, targets);
                }
              }

              @Override
              public void gap(long from, long to, CopyScan.Look[] looks) throws IOException {
                for (Target target : targets) {
                  own(scans, target, from, to);
                }
              }

              @Override
              public void undecided(long at) {}
            });
    if (end != found.end() || !Arrays.equals(fingerprint.digest(), found.fingerprint())) {
      throw new IOException("segment " + segment + " changed while it was copied");
    }
    for (Target target : targets) {
      if (target.now().isPresent() && target.now().get().tail == Tail.DAMAGED) {
        own(scans, target, end, target.now().get().copy.length());
      }
    }
  }

  private static void give(List<Target> targets, byte[] bytes) {
    targets.forEach(target -> target.sink().write(ByteBuffer.wrap(bytes)));
  }

  // A frame goes over in pieces, and its digest is taken once more on the way.
  private void transfer(
      List<CopyScan> scans,
      long at,
      int length,
      ByteBuffer digest,
      CopyScan.Look[] looks,
      List<Target> targets)
      throws IOException {
    for (int i = 0; i < looks.length; i++) {
      if (looks[i] instanceof CopyScan.Look.Whole whole && whole.digest().equals(digest)) {
        MessageDigest sha = FrameCodec.sha256();
        for (long from = at; from < at + length; from += CopyScan.PIECE) {
          int piece = (int) Math.min(CopyScan.PIECE, at + length - from);
          byte[] bytes = scans.get(i).bytes(from, piece);
          long signed = at + length - FrameCodec.DIGEST - from;
          sha.update(bytes, 0, Math.clamp(signed, 0, piece));
          give(targets, bytes);
        }
        if (!ByteBuffer.wrap(sha.digest()).equals(digest)) {
          throw new IOException("segment " + segment + " changed while it was read");
        }
        return;
      }
    }
    throw new IOException("segment " + segment + " has no whole frame at " + at + " any more");
  }

  // What no copy has whole stays in each as it is, as far as it goes; the rest is what the longest
  // copy has.
  private void own(List<CopyScan> scans, Target target, long from, long to) throws IOException {
    CopyScan longest =
        scans.stream().max(Comparator.comparingLong(scan -> scan.copy().length())).orElseThrow();
    CopyScan own =
        target
            .now()
            .flatMap(now -> scans.stream().filter(scan -> scan.copy().equals(now.copy)).findFirst())
            .orElse(longest);
    long edge = Math.clamp(own.copy().length(), from, to);
    pass(own, target, from, edge);
    pass(longest, target, edge, to);
  }

  private void pass(CopyScan source, Target target, long from, long to) throws IOException {
    if (source.copy().length() < to) {
      throw new EOFException("segment " + segment + " has no copy that reaches " + to);
    }
    for (long at = from; at < to; at += CopyScan.PIECE) {
      byte[] bytes = source.bytes(at, (int) Math.min(CopyScan.PIECE, to - at));
      target.sink().write(ByteBuffer.wrap(bytes));
    }
  }

  // ---- searching ----

  // Where the next whole frame after a damaged place begins in some copy; negative when nowhere.
  private long next(long after, Set<Copy> unread) {
    long best = -1;
    for (Copy copy : copies) {
      try {
        long found = next(copy, after + 1, best < 0 ? copy.length() : best);
        if (found >= 0) {
          best = found;
        }
      } catch (IOException e) {
        unread.add(copy);
      }
    }
    return best;
  }

  private static long next(Copy copy, long from, long before) throws IOException {
    long base = from;
    while (base + FrameCodec.MIN_FRAME <= copy.length() && base < before) {
      int length = (int) Math.min(CopyScan.PIECE, copy.length() - base);
      byte[] bytes = copy.store().range(copy.object(), base, length);
      for (int i = 0; i + MAGIC.length <= length; i++) {
        if (bytes[i] == MAGIC[0]
            && Arrays.equals(bytes, i, i + MAGIC.length, MAGIC, 0, MAGIC.length)
            && base + i < before
            && read(copy, base + i).isPresent()) {
          return base + i;
        }
      }
      base += length - MAGIC.length + 1;
      if (length < CopyScan.PIECE) {
        break;
      }
    }
    return -1;
  }
}
