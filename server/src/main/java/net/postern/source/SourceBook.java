package net.postern.source;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.db.Database;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node knows of sources, and its exchange with the other nodes.
 *
 * <p>Everything is asked and counted in memory. {@link #exchange}, called about once a second by
 * one thread, adds what was counted to the sums in the database with one statement for each table,
 * and reads what other nodes changed. Nothing else touches the database, so no session ever waits
 * for it; while it is away counts gather here and go out when it is back.
 *
 * <p>Memory is bounded: the sources that were met longest ago are forgotten first (the database
 * still has them, and they are read again when they come back), and blocks beyond {@link
 * #MAX_BLOCKS} are not taken in.
 */
final class SourceBook {
  private static final Logger LOG = LoggerFactory.getLogger(SourceBook.class);

  /** Blocks in memory, those that are only remembered among them. */
  static final int MAX_BLOCKS = 200_000;

  /** Rows of one statement. */
  private static final int BATCH = 5_000;

  /** Before old rows are deleted again after that failed. */
  private static final Duration PRUNE_PAUSE = Duration.ofMinutes(1);

  /** So much of what changed before the exchange broke off is read again. */
  private static final Duration OVERLAP = Duration.ofMinutes(10);

  /** Standings change slowly and with every message: told less often. */
  private static final Duration STANDING_INTERVAL = Duration.ofSeconds(10);

  private static final Duration FORGET_INTERVAL = Duration.ofHours(1);

  /** How long recipients are counted for. */
  record Windows(Duration ofSources, Duration ofTargets) {
    Duration longest() {
      return ofSources.compareTo(ofTargets) > 0 ? ofSources : ofTargets;
    }
  }

  private final Windows windows;
  private final int mostEntries;
  private final SourceTable table;
  private final Events events;
  private final InstantSource clock;
  private final Cache<Subject, Entry> entries;
  private final Map<Subject, Entry> changedWindows = new ConcurrentHashMap<>();
  private final Map<Subject, Entry> changedStandings = new ConcurrentHashMap<>();
  private final Set<Subject> wanted = ConcurrentHashMap.newKeySet();
  private final Map<Block.Place, Block> blocks = new ConcurrentHashMap<>();
  private final Set<Block.Place> standing = ConcurrentHashMap.newKeySet();
  private final Map<Block.Place, Block> newBlocks = new ConcurrentHashMap<>();
  private final Follower<SourceTable.BlockRow> blockChanges;
  private final Follower<SourceTable.WindowRow> windowChanges;
  private final Follower<SourceTable.StandingRow> standingChanges;
  private final SourcePrune prune;

  // Used by the exchanging thread only, under the lock of exchange().
  private boolean loaded;
  private boolean full;
  private Optional<Instant> exchanged = Optional.empty();
  private Instant standingsSent = Instant.EPOCH;
  private Instant expired = Instant.EPOCH;
  private Instant pruneAgain = Instant.EPOCH;

  SourceBook(
      Windows windows, int mostEntries, Database database, Events events, InstantSource clock) {
    this.windows = windows;
    this.mostEntries = mostEntries;
    this.table = new SourceTable(database);
    this.events = events;
    this.clock = clock;
    this.entries = Caffeine.newBuilder().maximumSize(mostEntries).build();
    this.blockChanges =
        new Follower<>(
            table,
            table::blocks,
            SourceTable.BlockRow::place,
            row -> learn(row.block(), clock.instant()));
    this.windowChanges =
        new Follower<>(
            table,
            table::windows,
            SourceTable.WindowRow::place,
            row -> learn(row, clock.instant()));
    this.standingChanges =
        new Follower<>(table, table::standings, SourceTable.StandingRow::place, this::learn);
    this.prune = new SourcePrune(table, windows.longest(), SourcePrune.MAX_ROWS);
  }

  Entry of(Subject subject) {
    Entry known = entries.getIfPresent(subject);
    return known != null ? known : entries.get(subject, this::make);
  }

  // One that was forgotten with counts that the database lacks is still there.
  private Entry make(Subject subject) {
    Entry waiting = changedWindows.get(subject);
    if (waiting == null) {
      waiting = changedStandings.get(subject);
    }
    if (waiting != null) {
      return waiting;
    }
    if (wanted.size() < mostEntries) {
      wanted.add(subject);
    }
    return new Entry(
        subject,
        switch (subject) {
          case Source _ -> windows.ofSources();
          case Target _ -> windows.ofTargets();
        });
  }

  /** The other nodes are to learn of this one's window. */
  void windowChanged(Entry entry) {
    if (changedWindows.size() < mostEntries) {
      changedWindows.put(entry.subject(), entry);
    }
  }

  /** The other nodes are to learn of this one's standing. */
  void standingChanged(Entry entry) {
    if (changedStandings.size() < mostEntries) {
      changedStandings.put(entry.subject(), entry);
    }
  }

  /** What a source is on the block list for, besides floods; empty when it is not. */
  Optional<Block> blocked(Source source) {
    return blocked(new Block.Place(source, false));
  }

  /** Whether a source is on the block list for a flood. */
  boolean floods(Source source) {
    return blocked(new Block.Place(source, true)).isPresent();
  }

  private Optional<Block> blocked(Block.Place place) {
    if (!standing.contains(place)) {
      return Optional.empty();
    }
    Block block = blocks.get(place);
    return block != null && block.stands(clock.instant()) ? Optional.of(block) : Optional.empty();
  }

  /**
   * Puts a source on the block list, unless it is there. One for a flood does not keep one for
   * anything else out, nor the other way round.
   *
   * @param first length for the first time; it doubles with each return
   */
  Block block(Source source, Block.Kind kind, String why, Duration first, Duration longest) {
    Instant now = clock.instant();
    boolean[] begun = {false};
    Block.Place place = new Block.Place(source, kind == Block.Kind.FLOOD);
    Block block =
        blocks.compute(
            place,
            (key, old) -> {
              if (old != null && old.stands(now)) {
                return old;
              }
              int offence = old != null && old.remembered(now) ? old.offence() + 1 : 1;
              begun[0] = true;
              Instant until = now.plus(Block.length(first, longest, offence));
              Block begins = new Block(source, kind, why, offence, now, until);
              if (newBlocks.size() < MAX_BLOCKS) {
                newBlocks.put(place, begins);
              }
              return begins;
            });
    if (begun[0]) {
      standing.add(place);
      events.emit(
          new MailEvent.SourceBlocked(
              source.text(), kind.name(), why, block.offence(), block.until()));
    }
    return block;
  }

  /** Sources that are blocked now. */
  int blockedNow() {
    return standing.size();
  }

  /** Subjects in memory. */
  long remembered() {
    return entries.estimatedSize();
  }

  /**
   * Ends what is over, tells the database what is new here, and learns what is new there.
   *
   * @throws SQLException when the database is away; nothing is lost, the next turn does it
   */
  synchronized void exchange() throws SQLException {
    Instant now = clock.instant();
    expire(now);
    boolean whole = false;
    try {
      if (!loaded) {
        load(now);
      }
      sendBlocks(now);
      sendWindows();
      if (!now.isBefore(standingsSent.plus(STANDING_INTERVAL))) {
        sendStandings();
        standingsSent = now;
      }
      Instant there = table.now();
      blockChanges.read();
      windowChanges.read();
      standingChanges.read();
      exchanged = Optional.of(there);
      learnWanted(now);
      whole = true;
      prune(now);
    } finally {
      // It may be another server that answers next, which has not all that this one had: what a
      // snapshot of the one has shown says nothing of the other.
      loaded &= whole;
    }
  }

  // What cannot be deleted now is later; it is no reason to read everything anew.
  private void prune(Instant now) {
    if (now.isBefore(pruneAgain)) {
      return;
    }
    try {
      prune.step(now);
    } catch (SQLException e) {
      pruneAgain = now.plus(PRUNE_PAUSE);
      LOG.warn("old rows about sources stay for now: {}", e.getMessage());
    }
  }

  /** Tells everything at once, as a node does that stops. */
  synchronized void flush() throws SQLException {
    Instant now = clock.instant();
    sendBlocks(now);
    sendWindows();
    sendStandings();
  }

  private void expire(Instant now) {
    standing.removeIf(
        place -> {
          Block block = blocks.get(place);
          boolean over = block == null || !block.stands(now);
          if (over) {
            events.emit(new MailEvent.SourceReleased(place.source().text(), "its time is over"));
          }
          return over;
        });
    if (!now.isBefore(expired.plus(FORGET_INTERVAL))) {
      blocks.values().removeIf(block -> !block.remembered(now));
      expired = now;
    }
  }

  private void load(Instant now) throws SQLException {
    Instant there = table.now();
    // What was changed before and committed since is in neither of the two looks otherwise.
    blockChanges.restart(there.minus(OVERLAP));
    for (SourceTable.BlockRow row : table.remembered(now, MAX_BLOCKS)) {
      learn(row.block(), now);
    }
    // What was counted in the last window still counts.
    windowChanges.restart(there.minus(windows.longest()));
    // Nothing is in memory at first, and read when it is asked for.
    standingChanges.restart(exchanged.map(last -> last.minus(OVERLAP)).orElse(there));
    loaded = true;
  }

  private void sendBlocks(Instant now) throws SQLException {
    List<Block> sent = new ArrayList<>(newBlocks.values());
    for (int from = 0; from < sent.size(); from += BATCH) {
      List<Block> batch = sent.subList(from, Math.min(sent.size(), from + BATCH));
      List<SourceTable.BlockRow> there = table.addBlocks(batch);
      batch.forEach(each -> newBlocks.remove(each.place(), each));
      there.forEach(row -> learn(row.block(), now));
    }
  }

  private void sendWindows() throws SQLException {
    List<SourceTable.SlotDelta> deltas = new ArrayList<>();
    List<Entry> done = new ArrayList<>();
    for (Entry entry : List.copyOf(changedWindows.values())) {
      // Taken out first: what changes from here on marks it anew.
      changedWindows.remove(entry.subject(), entry);
      done.add(entry);
      entry.withWindow(
          window -> {
            for (Window.Slot slot : window.changed()) {
              deltas.add(new SourceTable.SlotDelta(entry.subject(), slot.take()));
            }
            return window;
          });
      if (deltas.size() >= BATCH) {
        sendWindows(done, deltas);
      }
    }
    sendWindows(done, deltas);
  }

  private void sendWindows(List<Entry> done, List<SourceTable.SlotDelta> deltas)
      throws SQLException {
    if (deltas.isEmpty()) {
      done.clear();
      return;
    }
    try {
      List<SourceTable.WindowRow> sums = table.addWindows(deltas);
      Instant now = clock.instant();
      for (SourceTable.WindowRow row : sums) {
        learn(row, now);
      }
      done.clear();
    } finally {
      // Still there when the database refused: the counts are new again.
      for (Entry entry : done) {
        entry.withWindow(
            window -> {
              window.giveBack();
              return window;
            });
        windowChanged(entry);
      }
      done.clear();
      deltas.clear();
    }
  }

  private void sendStandings() throws SQLException {
    List<Entry> all = List.copyOf(changedStandings.values());
    for (int from = 0; from < all.size(); from += BATCH) {
      List<Entry> batch = all.subList(from, Math.min(all.size(), from + BATCH));
      batch.forEach(entry -> changedStandings.remove(entry.subject(), entry));
      boolean told = false;
      try {
        List<Entry.StandingDelta> deltas = batch.stream().map(Entry::takeStanding).toList();
        for (SourceTable.StandingRow row : table.addStandings(deltas)) {
          learn(row);
        }
        told = true;
      } finally {
        if (!told) {
          for (Entry entry : batch) {
            entry.giveBackStanding();
            standingChanged(entry);
          }
        }
      }
    }
  }

  private void learnWanted(Instant now) throws SQLException {
    List<Subject> asked = List.copyOf(wanted);
    for (int from = 0; from < asked.size(); from += BATCH) {
      List<Subject> batch = asked.subList(from, Math.min(asked.size(), from + BATCH));
      table.standingsOf(batch).forEach(this::learn);
      table.windowsOf(batch).forEach(row -> learn(row, now));
      wanted.removeAll(new HashSet<>(batch));
    }
  }

  // A block that ends before its time was lifted by a person.
  private void learn(Block block, Instant now) {
    Block.Place place = block.place();
    Block mine = newBlocks.get(place);
    if (mine != null && block.since().isBefore(mine.since())) {
      return; // The database does not have this node's own yet.
    }
    Block old = blocks.get(place);
    if (old == null && blocks.size() >= MAX_BLOCKS) {
      if (!full) {
        LOG.warn(
            "{} sources are on the block list; further ones of other nodes are not taken in",
            MAX_BLOCKS);
        full = true;
      }
      return;
    }
    blocks.put(place, block);
    if (block.stands(now)) {
      standing.add(place);
    } else if (standing.remove(place)) {
      of(place.source())
          .withWindow(
              window -> {
                window.clear();
                return window;
              });
      events.emit(new MailEvent.SourceReleased(place.source().text(), "a person decided so"));
    }
  }

  private void learn(SourceTable.WindowRow row, Instant now) {
    Entry entry = of(row.subject());
    boolean more =
        entry.withWindow(
            window -> {
              if (window.isOver(row.slot(), now)) {
                return false;
              }
              window.slot(row.slot()).learn(row);
              // What was counted here of one that did nothing wrong here matters there now.
              return !window.changed().isEmpty();
            });
    if (more) {
      windowChanged(entry);
    }
  }

  private void learn(SourceTable.StandingRow row) {
    Entry known = entries.getIfPresent(row.subject());
    if (known != null) {
      known.learnStanding(row.good(), row.bad(), row.passedAt());
    }
  }
}
