package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replacement;
import net.postern.keys.Authenticity;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares all copies of one object, byte for byte, and makes them equal.
 *
 * <p>What a copy has is never taken from it: a store gets only bytes that hold every whole frame
 * that it had, and what is whole nowhere stays in each copy as it is. A copy that cannot be read is
 * not replaced, as long as it may have something that no other has. Content of an unknown origin is
 * put aside (kind {@value net.postern.blob.ObjectStore#ASIDE}) before something else takes its
 * place.
 *
 * <p>Safe for many threads; an object is mended by one at a time. Memory is bounded by the largest
 * frame, and by the largest parcel.
 */
final class Mender {
  private static final Logger LOG = LoggerFactory.getLogger(Mender.class);

  /** Of a random number, behind the name of what was put aside. */
  private static final int DIGITS = 8;

  /** Two parcels that differ in no more bits are the same one, damaged. */
  private static final int FEW_BITS = 48;

  private final int all;
  private final int minimum;
  private final SegmentFacts facts;
  private final ParcelCheck check;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition released = lock.newCondition();

  // Objects that are being mended; guarded by the lock.
  private final Set<String> busy = new HashSet<>();
  private final AtomicLong repaired = new AtomicLong();

  /**
   * @param all how many stores there are to be
   * @param minimum fewest stores that have each acknowledged write
   * @param check asked when copies of a parcel differ: which are genuine
   */
  Mender(int all, int minimum, SegmentFacts facts, ParcelCheck check) {
    this.check = check;
    this.all = all;
    this.minimum = minimum;
    this.facts = facts;
  }

  /**
   * What was found of one object, and done.
   *
   * @param copies how many were made
   * @param complete whether every store answered
   */
  record Report(int copies, boolean complete, List<Finding> findings) {}

  /** How many copies were made since start. */
  long repaired() {
    return repaired.get();
  }

  /** Compares all copies of an object and mends those that are not as they should be. */
  Report mend(String object, List<ObjectStore> stores) throws IOException {
    return run(object, stores, true);
  }

  /** Compares all copies of an object and changes nothing. */
  Report check(String object, List<ObjectStore> stores) throws IOException {
    return run(object, stores, false);
  }

  private Report run(String object, List<ObjectStore> stores, boolean repair) throws IOException {
    claim(object);
    try {
      Work work = new Work(stores, repair);
      if (object.startsWith(Segment.KIND + "/")) {
        segment(object, work);
      } else {
        parcel(object, work);
      }
      return new Report(work.copies, work.complete, work.findings);
    } finally {
      release(object);
    }
  }

  // Who comes second waits: it wants to know that the object is as it should be.
  private void claim(String object) throws IOException {
    lock.lock();
    try {
      while (!busy.add(object)) {
        released.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for " + object, e);
    } finally {
      lock.unlock();
    }
  }

  private void release(String object) {
    lock.lock();
    try {
      busy.remove(object);
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** One object's comparison on its way. */
  private final class Work {
    final List<ObjectStore> stores;
    final boolean repair;
    final List<Finding> findings = new ArrayList<>();
    boolean complete = true;
    int copies;

    Work(List<ObjectStore> stores, boolean repair) {
      this.stores = stores;
      this.repair = repair;
    }

    void found(
        ObjectStore store, String object, Damage damage, Finding.Outcome outcome, String detail) {
      findings.add(new Finding(store.name(), object, damage, outcome, detail));
    }

    void repaired(ObjectStore store, String object, Damage damage, String detail) {
      found(store, object, damage, Finding.Outcome.REPAIRED, detail);
      copies++;
      repaired.incrementAndGet();
    }

    void lost(ObjectStore store, String object, Damage damage, String detail) {
      found(store, object, damage, Finding.Outcome.UNREPAIRED, detail);
    }
  }

  // ---- segments ----

  private void segment(String object, Work work) throws IOException {
    Optional<UUID> name = Segment.name(object);
    if (name.isEmpty()) {
      removeForeign(object, work, "no name of a segment");
      return;
    }
    UUID segment = name.get();
    switch (facts.fate(segment)) {
      case LEFT_ALONE -> LOG.trace("{} is left alone", object);
      case REMOVED -> remove(object, work);
      case KEPT -> kept(segment, work);
    }
  }

  private void kept(UUID segment, Work work) throws IOException {
    SegmentCopies copies = SegmentCopies.find(work.stores, segment);
    List<SegmentCopies.Copy> foreign = copies.foreign();
    if (foreign.isEmpty()) {
      if (isGarbage(copies)) {
        removeForeign(Segment.object(segment), work, "neither header nor frame");
      } else {
        heal(segment, copies, List.of(), work);
      }
      return;
    }
    exchanged(segment, copies, work);
  }

  // Objects that have each other's content: what belongs to a segment heals it, wherever it was
  // found, before anything takes its place.
  private void exchanged(UUID segment, SegmentCopies copies, Work work) throws IOException {
    Map<UUID, SegmentCopies> group = new LinkedHashMap<>();
    group.put(segment, copies);
    for (SegmentCopies.Copy copy : copies.foreign()) {
      UUID other = named(copy);
      if (!group.containsKey(other) && facts.fate(other) == SegmentFacts.Fate.KEPT) {
        // There may be none in its own place: then what was found here is all there is of it.
        group.put(other, SegmentCopies.ask(work.stores, other));
      }
    }
    Set<UUID> names = work.repair ? group.keySet() : Set.of(segment);
    for (UUID each : names) {
      SegmentCopies found = group.get(each);
      List<SegmentCopies.Copy> strayed = strayed(each, group.keySet(), work.stores);
      SegmentCopies own = found == null ? copies : found.with(strayed, found.foreign());
      if (!own.all().isEmpty()) {
        heal(each, own, strayed, work);
      }
    }
    // Store by store: what was in the wrong place everywhere must not be gone everywhere at once.
    for (ObjectStore store : work.stores) {
      for (UUID each : names) {
        replaceForeign(each, store, group.keySet(), work);
      }
    }
  }

  private static UUID named(SegmentCopies.Copy copy) {
    return copy.head() instanceof SegmentCopies.Head.Good good
        ? good.header().segment()
        : new UUID(0, 0);
  }

  // Copies of a segment that are to be found under the names of others.
  private static List<SegmentCopies.Copy> strayed(
      UUID segment, Set<UUID> group, List<ObjectStore> stores) {
    List<SegmentCopies.Copy> strayed = new ArrayList<>();
    for (UUID other : group) {
      try {
        SegmentCopies.find(stores, other).foreign().stream()
            .filter(copy -> named(copy).equals(segment))
            .forEach(strayed::add);
      } catch (IOException e) {
        LOG.debug("no copy of {}", other, e);
      }
    }
    return strayed;
  }

  private void replaceForeign(UUID segment, ObjectStore store, Set<UUID> group, Work work)
      throws IOException {
    SegmentCopies copies = SegmentCopies.find(work.stores, segment);
    Optional<SegmentCopies.Copy> here =
        copies.foreign().stream().filter(copy -> copy.store().equals(store)).findFirst();
    if (here.isEmpty()) {
      return;
    }
    SegmentCopies.Copy copy = here.get();
    String object = Segment.object(segment);
    String detail = "it holds segment " + named(copy);
    if (!work.repair) {
      work.found(store, object, Damage.SWAPPED, Finding.Outcome.FOUND, detail);
      return;
    }
    try {
      boolean elsewhere = isElsewhere(copy, group, work.stores);
      List<SegmentCopies.Copy> strayed = strayed(segment, group, work.stores);
      SegmentCopies rest = copies.with(strayed, copies.foreign());
      if (rest.all().isEmpty()) {
        if (elsewhere) {
          store.delete(object);
          work.repaired(store, object, Damage.SWAPPED, detail + "; it was no other copy");
        } else {
          work.lost(store, object, Damage.SWAPPED, detail + "; no store has the right one");
        }
        return;
      }
      if (!elsewhere) {
        putAside(store, object);
      }
      Output output = new Output(store, object, copy.length());
      write(rest, rest.compare(all), Map.of(output, Optional.empty()));
      output.end(work, Damage.SWAPPED, detail);
    } catch (IOException e) {
      work.lost(store, object, Damage.SWAPPED, detail + "; " + e.getMessage());
    }
  }

  // Whether everything that is whole in a copy is whole in another of the segment that it says it
  // is.
  private boolean isElsewhere(SegmentCopies.Copy copy, Set<UUID> group, List<ObjectStore> stores) {
    try {
      SegmentCopies theirs = SegmentCopies.find(stores, named(copy));
      List<SegmentCopies.Copy> others = new ArrayList<>(strayed(named(copy), group, stores));
      List<SegmentCopies.Copy> with = List.copyOf(others);
      others.removeIf(
          other -> other.store().equals(copy.store()) && other.object().equals(copy.object()));
      SegmentCopies.Comparison without = theirs.with(others, theirs.foreign()).compare(all);
      SegmentCopies.Comparison all =
          theirs
              .with(with.contains(copy) ? with : List.of(copy), theirs.foreign())
              .compare(this.all);
      return !all.undecided() && Arrays.equals(without.fingerprint(), all.fingerprint());
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isGarbage(SegmentCopies copies) throws IOException {
    for (SegmentCopies.Copy copy : copies.all()) {
      if (!(copy.head() instanceof SegmentCopies.Head.Bad bad)
          || Segment.beginsLikeOne(bad.bytes())) {
        return false;
      }
    }
    return copies.walk((place, header, frame) -> {}).end() == Segment.HEADER;
  }

  private void heal(UUID segment, SegmentCopies copies, List<SegmentCopies.Copy> strayed, Work work)
      throws IOException {
    String object = Segment.object(segment);
    work.complete &= copies.asked() == work.stores.size();
    SegmentCopies.Comparison found = copies.compare(all);
    if (found.lost()) {
      LOG.error("segment {} has a damaged part that is whole in no store", segment);
    }
    Map<Output, Optional<SegmentCopies.State>> targets = new LinkedHashMap<>();
    for (SegmentCopies.State state : found.states()) {
      if (strayed.contains(state.copy)) {
        continue;
      }
      if (found.lost()) {
        lost(state, found, object, work);
      }
      if (!state.wrong() || found.undecided()) {
        continue;
      }
      if (!work.repair) {
        work.found(state.copy.store(), object, sort(state), Finding.Outcome.FOUND, detail(state));
      } else if (!state.replaceable()) {
        work.lost(
            state.copy.store(),
            object,
            sort(state),
            "a part of it cannot be read and is whole in no other store");
      } else {
        targets.put(
            new Output(state.copy.store(), object, state.copy.length()), Optional.of(state));
      }
    }
    for (ObjectStore store : copies.missing()) {
      if (work.repair) {
        targets.put(new Output(store, object, -1), Optional.empty());
      } else {
        work.found(store, object, Damage.MISSING, Finding.Outcome.FOUND, "");
      }
    }
    if (targets.isEmpty()) {
      return;
    }
    aside(targets, object);
    write(copies, found, targets);
    targets.forEach(
        (output, state) ->
            output.end(
                work,
                state.map(Mender::sort).orElse(Damage.MISSING),
                state.map(Mender::detail).orElse("")));
  }

  private static void lost(
      SegmentCopies.State state, SegmentCopies.Comparison found, String object, Work work) {
    if (found.undecided()) {
      work.lost(
          state.copy.store(),
          object,
          Damage.DAMAGED,
          "the copies have different messages in the same place");
    } else if (found.gaps() > 0 || state.tail == SegmentCopies.Tail.DAMAGED) {
      work.lost(state.copy.store(), object, Damage.DAMAGED, "a part of it is whole in no store");
    }
  }

  private static Damage sort(SegmentCopies.State state) {
    if (state.damaged + state.unread + state.conflicting > 0
        || (state.header && state.copy.length() >= Segment.HEADER)) {
      return Damage.DAMAGED;
    }
    if (state.lacking > 0 || state.header) {
      return Damage.TRUNCATED;
    }
    return state.tail == SegmentCopies.Tail.TORN ? Damage.TORN : Damage.FOREIGN;
  }

  private static String detail(SegmentCopies.State state) {
    List<String> parts = new ArrayList<>();
    add(parts, state.damaged, "damaged frames");
    add(parts, state.unread, "frames that cannot be read");
    add(parts, state.lacking, "frames beyond its end");
    add(parts, state.conflicting, "frames that are others");
    if (state.header) {
      parts.add("header");
    }
    if (state.tail == SegmentCopies.Tail.TORN) {
      parts.add("a write that was cut off");
    } else if (state.tail == SegmentCopies.Tail.FOREIGN) {
      parts.add("foreign bytes at the end");
    }
    return String.join(", ", parts);
  }

  private static void add(List<String> parts, int number, String what) {
    if (number > 0) {
      parts.add(number + " " + what);
    }
  }

  private void aside(Map<Output, Optional<SegmentCopies.State>> targets, String object)
      throws IOException {
    for (Map.Entry<Output, Optional<SegmentCopies.State>> each : targets.entrySet()) {
      if (each.getValue().isPresent()
          && (each.getValue().get().conflicting > 0
              || each.getValue().get().tail == SegmentCopies.Tail.FOREIGN)) {
        putAside(each.getKey().store, object);
      }
    }
  }

  private static void write(
      SegmentCopies copies,
      SegmentCopies.Comparison found,
      Map<Output, Optional<SegmentCopies.State>> targets)
      throws IOException {
    List<SegmentCopies.Target> sinks = new ArrayList<>();
    try {
      for (Map.Entry<Output, Optional<SegmentCopies.State>> each : targets.entrySet()) {
        each.getKey().begin();
        sinks.add(new SegmentCopies.Target(each.getValue(), each.getKey()));
      }
      copies.compose(found, sinks);
      targets.keySet().forEach(Output::commit);
    } finally {
      targets.keySet().forEach(Output::close);
    }
  }

  /** A copy that is being written. One store that fails does not keep the others from theirs. */
  private static final class Output implements SegmentCopies.Sink {
    private final ObjectStore store;
    private final String object;
    private final long before;
    private Optional<Replacement> replacement = Optional.empty();
    private Optional<String> failure = Optional.empty();

    /**
     * @param before length of the copy that is there now; negative when there is none
     */
    Output(ObjectStore store, String object, long before) {
      this.store = store;
      this.object = object;
      this.before = before;
    }

    void begin() {
      try {
        replacement = Optional.of(store.replace(object));
      } catch (IOException e) {
        failed(e);
      }
    }

    @Override
    public void write(ByteBuffer bytes) {
      if (failure.isEmpty()) {
        try {
          replacement.orElseThrow().write(bytes);
        } catch (IOException e) {
          failed(e);
        }
      }
    }

    void commit() {
      if (failure.isEmpty()) {
        try {
          if (length() != before) {
            throw new IOException("it changed in the meantime");
          }
          replacement.orElseThrow().commit();
        } catch (IOException e) {
          failed(e);
        }
      }
    }

    private long length() throws IOException {
      try {
        return store.length(object);
      } catch (NoSuchFileException e) {
        return -1;
      }
    }

    void close() {
      try {
        if (replacement.isPresent()) {
          replacement.get().close();
        }
      } catch (IOException e) {
        LOG.warn(
            "store {}: an unfinished write of {} stays: {}", store.name(), object, e.toString());
      }
    }

    private void failed(IOException e) {
      failure = Optional.of(String.valueOf(e.getMessage()));
      LOG.warn("store {}: cannot take its copy of {}: {}", store.name(), object, e.toString());
    }

    void end(Work work, Damage damage, String detail) {
      if (failure.isEmpty()) {
        work.repaired(store, object, damage, detail);
      } else {
        String why = "the store does not take it: " + failure.get();
        work.lost(store, object, damage, detail.isEmpty() ? why : detail + "; " + why);
      }
    }
  }

  // ---- parcels ----

  /** One store's copy of a parcel. */
  private record Held(ObjectStore store, byte[] bytes, Optional<Parcel> parcel) {
    // What a damaged one says; a damaged one may well be the newest.
    long generation() {
      return parcel
          .map(Parcel::generation)
          .orElseGet(() -> bytes.length < 16 ? 0 : ByteBuffer.wrap(bytes).getLong(8));
    }
  }

  private void parcel(String object, Work work) throws IOException {
    List<Held> held = new ArrayList<>();
    List<ObjectStore> missing = new ArrayList<>();
    for (ObjectStore store : work.stores) {
      try {
        held.add(read(store, object));
      } catch (NoSuchFileException e) {
        missing.add(store);
      } catch (IOException e) {
        work.complete = false;
        LOG.debug("store {} does not give {}", store.name(), object, e);
      }
    }
    if (held.isEmpty()) {
      return;
    }
    Optional<Parcel> right = right(object, held);
    if (right.isEmpty()) {
      if (held.stream().noneMatch(copy -> Parcel.beginsLikeOne(copy.bytes()))) {
        removeForeign(object, work, "no parcel");
      } else {
        held.forEach(
            copy -> work.lost(copy.store(), object, Damage.DAMAGED, "no store has a whole copy"));
      }
      return;
    }
    Optional<Judged> trusted =
        held.stream().allMatch(copy -> copy.parcel().equals(right))
            ? Optional.of(new Judged(right.get(), Map.of()))
            : trusted(object, held, right.get(), work);
    if (trusted.isPresent()) {
      level(object, held, missing, trusted.get(), work);
    }
  }

  /**
   * The parcel that every store is to have.
   *
   * @param others what is known of the other whole ones
   */
  private record Judged(Parcel right, Map<Parcel, Authenticity> others) {}

  // Who can write to one store can make a parcel of any generation with the right digest: of copies
  // that differ, the highest that opens with its key counts. Where none does, nothing is changed.
  private Optional<Judged> trusted(String object, List<Held> held, Parcel highest, Work work) {
    TreeMap<Parcel, Authenticity> known = new TreeMap<>(Comparator.reverseOrder());
    known.put(highest, check.judge(object, highest));
    held.stream()
        .flatMap(copy -> copy.parcel().stream())
        .forEach(parcel -> known.computeIfAbsent(parcel, each -> check.judge(object, each)));
    for (Map.Entry<Parcel, Authenticity> each : known.entrySet()) {
      if (each.getValue() == Authenticity.GENUINE) {
        return Optional.of(new Judged(each.getKey(), known));
      }
    }
    known.values().removeIf(each -> each == Authenticity.FORGED);
    if (known.size() == 1 && held.stream().noneMatch(copy -> isOther(copy, known.firstKey()))) {
      // Nothing speaks against it.
      return Optional.of(new Judged(known.firstKey(), known));
    }
    if (known.containsValue(Authenticity.ERASED)) {
      LOG.debug("nobody can tell which copy of {} is right: its key was erased", object);
      return Optional.empty();
    }
    for (Parcel each : known.keySet()) {
      long voices = held.stream().filter(copy -> copy.parcel().equals(Optional.of(each))).count();
      if (voices > all / 2) {
        return Optional.of(new Judged(each, known));
      }
    }
    for (Held copy : held) {
      work.lost(
          copy.store(),
          object,
          Damage.DAMAGED,
          "the copies differ, and none is known to be genuine: is the master key the right one?");
    }
    return Optional.empty();
  }

  private static boolean isOther(Held copy, Parcel parcel) {
    return copy.parcel().isPresent() && !copy.parcel().get().equals(parcel);
  }

  private void level(
      String object, List<Held> held, List<ObjectStore> missing, Judged judged, Work work) {
    Parcel parcel = judged.right();
    Optional<Parcel> right = Optional.of(parcel);
    long same = held.stream().filter(copy -> copy.parcel().equals(right)).count();
    for (Held copy : held) {
      if (copy.parcel().equals(right)) {
        continue;
      }
      Authenticity other =
          copy.parcel()
              .map(each -> judged.others().getOrDefault(each, Authenticity.UNKNOWN))
              .orElse(Authenticity.GENUINE);
      boolean newer = copy.parcel().isPresent() && copy.parcel().get().compareTo(parcel) > 0;
      if (newer && other != Authenticity.FORGED) {
        work.lost(
            copy.store(),
            object,
            Damage.DAMAGED,
            "it claims to be newer, and nobody can tell whether it is genuine");
      } else if (other == Authenticity.FORGED) {
        replaceForged(object, copy, parcel, work);
      } else {
        // One that claims to be newer may be what was acknowledged, unless too many have this one.
        boolean safe =
            copy.parcel().isPresent()
                || copy.generation() <= parcel.generation()
                || same > all - minimum
                || isNearly(copy.bytes(), parcel.encode(object));
        replace(object, copy.store(), Optional.empty(), parcel, sort(copy, parcel), safe, work);
      }
    }
    for (ObjectStore store : missing) {
      replace(object, store, Optional.empty(), parcel, Damage.MISSING, true, work);
    }
  }

  // People are to see what it was; but a copy of a key's record must not outlive the key.
  private void replaceForged(String object, Held copy, Parcel right, Work work) {
    if (work.repair && !object.startsWith("keys/")) {
      try {
        putAside(copy.store(), object);
      } catch (IOException e) {
        work.lost(copy.store(), object, Damage.DAMAGED, "forged; it cannot be put aside: " + e);
        return;
      }
    }
    replace(object, copy.store(), copy.parcel(), right, Damage.DAMAGED, true, work);
  }

  // Another parcel would have another digest, and differ in about half of its 256 bits.
  private static boolean isNearly(byte[] damaged, byte[] right) {
    if (damaged.length != right.length) {
      return false;
    }
    int bits = 0;
    for (int i = 0; i < right.length && bits <= FEW_BITS; i++) {
      bits += Integer.bitCount((damaged[i] ^ right[i]) & 0xff);
    }
    return bits <= FEW_BITS;
  }

  private static Held read(ObjectStore store, String object) throws IOException {
    int length = (int) Math.min(store.length(object), Parcel.MAX_BYTES + 1L);
    byte[] bytes = store.range(object, 0, length);
    try {
      return new Held(store, bytes, Optional.of(Parcel.decode(object, bytes)));
    } catch (IOException e) {
      return new Held(store, bytes, Optional.empty());
    }
  }

  private static boolean isNewer(
      String object, ObjectStore store, Optional<Parcel> forged, Parcel right) throws IOException {
    try {
      Optional<Parcel> now = read(store, object).parcel();
      return now.isPresent() && now.get().compareTo(right) > 0 && !now.equals(forged);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  // Of the good copies the one of the highest generation is right, unless damaged ones together
  // make a higher one.
  private static Optional<Parcel> right(String object, List<Held> held) {
    Optional<Parcel> best =
        held.stream().flatMap(copy -> copy.parcel().stream()).max(Parcel::compareTo);
    List<Held> damaged = held.stream().filter(copy -> copy.parcel().isEmpty()).toList();
    for (Held first : damaged) {
      List<byte[]> voices =
          damaged.stream()
              .map(Held::bytes)
              .filter(bytes -> bytes.length == first.bytes().length)
              .toList();
      Optional<Parcel> together =
          Vote.among(voices, bytes -> decoded(object, bytes).isPresent())
              .flatMap(bytes -> decoded(object, bytes));
      if (together.isPresent() && (best.isEmpty() || together.get().compareTo(best.get()) > 0)) {
        best = together;
      }
    }
    return best;
  }

  private static Optional<Parcel> decoded(String object, byte[] bytes) {
    try {
      return Optional.of(Parcel.decode(object, bytes));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Damage sort(Held copy, Parcel right) {
    if (copy.parcel().isPresent()) {
      return Damage.OUTDATED;
    }
    return Parcel.beginsLikeOne(copy.bytes())
            && copy.bytes().length < right.content().length + Parcel.MAX_BYTES - Parcel.MAX_CONTENT
        ? Damage.TRUNCATED
        : Damage.DAMAGED;
  }

  private void replace(
      String object,
      ObjectStore store,
      Optional<Parcel> forged,
      Parcel right,
      Damage damage,
      boolean safe,
      Work work) {
    String detail = forged.isPresent() ? "forged: no key of ours opens it" : "";
    if (!work.repair) {
      work.found(store, object, damage, Finding.Outcome.FOUND, detail);
    } else if (!safe) {
      work.lost(store, object, damage, "the damaged copy may be newer than any whole one");
    } else {
      try {
        if (isNewer(object, store, forged, right)) {
          // Written since it was read, as when a key is erased: the next look sees it.
          work.complete = false;
          return;
        }
        store.put(object, ByteBuffer.wrap(right.encode(object)));
        work.repaired(store, object, damage, detail);
      } catch (IOException e) {
        LOG.warn("store {}: cannot take its copy of {}: {}", store.name(), object, e.toString());
        work.lost(store, object, damage, "the store does not take it: " + e.getMessage());
      }
    }
  }

  // ---- what is not ours ----

  private void remove(String object, Work work) {
    for (ObjectStore store : work.stores) {
      try {
        store.length(object);
        if (work.repair) {
          store.delete(object);
        }
        work.found(
            store,
            object,
            Damage.LEFTOVER,
            work.repair ? Finding.Outcome.REPAIRED : Finding.Outcome.FOUND,
            "it was removed while this store was away");
      } catch (NoSuchFileException e) {
        LOG.trace("{} has no {}", store.name(), object);
      } catch (IOException e) {
        work.complete = false;
        LOG.warn("store {}: cannot remove {}: {}", store.name(), object, e.toString());
      }
    }
  }

  private void removeForeign(String object, Work work, String why) {
    for (ObjectStore store : work.stores) {
      try {
        store.length(object);
        Finding.Outcome outcome = Finding.Outcome.FOUND;
        String detail = why;
        if (work.repair) {
          detail = why + "; put aside as " + putAside(store, object);
          store.delete(object);
          outcome = Finding.Outcome.REPAIRED;
        }
        work.found(store, object, Damage.FOREIGN, outcome, detail);
      } catch (NoSuchFileException e) {
        LOG.trace("{} has no {}", store.name(), object);
      } catch (IOException e) {
        work.complete = false;
        LOG.warn("store {}: cannot put {} aside: {}", store.name(), object, e.toString());
      }
    }
  }

  /** Copies an object's bytes to where nobody changes them; gives back the copy's name. */
  private static String putAside(ObjectStore store, String object) throws IOException {
    String told = object.replace('/', '-');
    String aside =
        ObjectStore.ASIDE
            + "/"
            + told.substring(0, Math.min(64, told.length()))
            + "-"
            + UUID.randomUUID().toString().substring(0, DIGITS);
    long length = store.length(object);
    try (Replacement copy = store.replace(aside)) {
      for (long at = 0; at < length; at += CopyScan.PIECE) {
        int piece = (int) Math.min(CopyScan.PIECE, length - at);
        copy.write(ByteBuffer.wrap(store.range(object, at, piece)));
      }
      copy.commit();
    }
    LOG.warn("store {}: {} was put aside as {}", store.name(), object, aside);
    return aside;
  }
}
