package net.postern.intake;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import net.postern.id.MessageId;
import net.postern.ledger.Ledger;
import net.postern.ledger.LedgerRebuild;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.RecordJson;
import net.postern.ledger.SegmentTable;
import net.postern.vault.MessageErasedException;
import net.postern.vault.Place;
import net.postern.vault.SegmentVault;
import net.postern.vault.StoreUpkeep;
import net.postern.vault.VaultUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enters messages that are in the vault but not in the ledger: those that were acknowledged when
 * the process died, or the database was away, before their record was committed. Runs at start,
 * before mail is accepted, over the segments that are not yet noted as entered completely.
 *
 * <p>When messages are placed in segments that no store has, the database is an older one, put back
 * from a backup, and compaction has moved them since. Then dropped segments are walked too, and
 * messages get the places where they are found.
 *
 * <p>Afterwards ({@link #watch}) a thread notes the segments of this process as they are finished,
 * so that the next start has few to walk; and it comes back to what could not be read at start.
 */
public final class Reconciler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

  /** Messages whose presence is asked for in one query, and which are entered together. */
  private static final int BATCH = 2_000;

  private static final Duration INTERVAL = Duration.ofSeconds(30);

  private final SegmentVault vault;
  private final Ledger ledger;
  private final SegmentTable segments;
  private final LedgerRebuild rebuild;
  private final Set<UUID> reported = new HashSet<>();

  // Segments that are damaged in all stores: owned by whoever runs.
  private final Set<UUID> hopeless = new HashSet<>();
  private volatile boolean closed;
  private volatile boolean wanted;
  private volatile Optional<Thread> watcher = Optional.empty();

  public Reconciler(
      SegmentVault vault, Ledger ledger, SegmentTable segments, LedgerRebuild rebuild) {
    this.vault = vault;
    this.ledger = ledger;
    this.segments = segments;
    this.rebuild = rebuild;
  }

  /**
   * What a run found.
   *
   * @param segments how many were walked
   * @param messages how many frames they hold
   * @param entered how many messages the ledger lacked
   * @param relocated how many rows of messages named a segment that is in no store, and name the
   *     place now where their message was found
   * @param unfinished segments that are not noted as complete: some of their frames could not be
   *     entered, or too few stores answered to know that all were seen
   * @param damaged segments of which all stores were read and something is whole in none: they are
   *     not noted as complete, and not walked again before the next start
   * @param complete whether so many stores were listed that no segment can be missing
   */
  public record Report(
      int segments,
      int messages,
      int entered,
      int relocated,
      int unfinished,
      int damaged,
      boolean complete) {}

  /**
   * Walks every segment that is not noted as complete, other than those that this process wrote,
   * and those that another node may be writing. What cannot be read is reported and left for
   * another run: it must not keep the rest of the mail waiting.
   *
   * @throws IOException when no store can be listed
   */
  public Report run() throws IOException, InterruptedException {
    return run(false);
  }

  /**
   * The same before mail is accepted: what a rebuild has just read from one store is left to {@link
   * #watch}, since that may be everything there is, and nearly all of it is in the ledger.
   */
  public Report start() throws IOException, InterruptedException {
    return run(true);
  }

  private Report run(boolean starting) throws IOException, InterruptedException {
    // In this order: what is begun in between is in the listing and not among the places.
    Set<UUID> inUse = segments.inUse();
    var listed = vault.segments();
    segments.noteFound(listed.names());
    Run run = new Run(listed);
    inUse.removeIf(segment -> !run.isLost(segment));
    run.lost = inUse;
    if (!inUse.isEmpty()) {
      LOG.error(
          "{} segments that hold mail by the ledger, such as {}, are in no store, as when the"
              + " database was put back from a backup; their messages are looked for in all"
              + " segments that the ledger does not use",
          inUse.size(),
          inUse.iterator().next());
    }
    Set<UUID> rebuilt = rebuild.walked();
    run.rebuilt = !rebuilt.isEmpty();
    Set<UUID> known = segments.recorded();
    Set<UUID> again = inUse.isEmpty() ? segments.droppedInUse() : segments.dropped();
    for (UUID segment : listed.names()) {
      if (!closed && !vault.isOwn(segment)) {
        if (again.contains(segment)) {
          run.walk(segment, true);
        } else if (!known.contains(segment)) {
          run.look(segment, starting && rebuilt.contains(segment));
        }
      }
    }
    return run.end();
  }

  // What is not known now is another's until it is.
  private boolean isLeftAlone(UUID segment) {
    try {
      return vault.isLeftAlone(segment);
    } catch (IOException e) {
      LOG.warn("segment {} is left alone: {}", segment, e.toString());
      wanted = true;
      return true;
    }
  }

  /** Has the segments looked at again: a node that may have left some is gone. */
  public void again() {
    wanted = true;
  }

  /** One run: what it has found so far. */
  private final class Run {
    private final StoreUpkeep.Segments listed;
    private final Set<UUID> names;
    // Asked once each: whether a segment that was not listed is in no store.
    private final Map<UUID, Boolean> nowhere = new HashMap<>();
    private Set<UUID> lost = Set.of();
    private boolean rebuilt;
    private int walked;
    private int messages;
    private int entered;
    private int relocated;
    private int unfinished;
    private int damaged;
    private int others;

    Run(StoreUpkeep.Segments listed) {
      this.listed = listed;
      this.names = Set.copyOf(listed.names());
    }

    boolean isLost(UUID segment) {
      return isAbsent(segment)
          && nowhere.computeIfAbsent(segment, each -> listed.complete() && vault.isNowhere(each));
    }

    boolean isAbsent(UUID segment) {
      return !names.contains(segment) && !vault.isOwn(segment);
    }

    void look(UUID segment, boolean later) throws InterruptedException {
      if (later) {
        unfinished++;
      } else if (isLeftAlone(segment)) {
        others++;
      } else {
        walk(segment, false);
      }
    }

    void walk(UUID segment, boolean dropped) throws InterruptedException {
      if (hopeless.contains(segment)) {
        damaged++;
        return;
      }
      walked++;
      try {
        // First: copies vote on what is whole in none.
        mend(segment);
        Batch batch = new Batch(this);
        SegmentVault.Walked seen =
            vault.walk(segment, (place, id, content) -> batch.add(id, place));
        batch.enter();
        messages += batch.messages;
        entered += batch.entered;
        relocated += batch.relocated;
        if (batch.failed == 0 && seen.all() && seen.gaps() > 0) {
          // Another look would see the same. It is not noted: what is in the gaps is not known.
          damaged++;
          hopeless.add(segment);
          LOG.error(
              "segment {} has {} places that are whole in no store; it is neither compacted nor"
                  + " noted as entered, and looked at again at the next start",
              segment,
              seen.gaps());
        } else if (!seen.whole() || batch.failed > 0) {
          unfinished++;
        } else if (dropped) {
          // It is as it was, unless something was found that is nowhere else.
          if (segments.droppedInUse().contains(segment)) {
            segments.revive(segment);
            LOG.warn("segment {} was dropped, holds mail, and is used again", segment);
            mend(segment);
          }
        } else {
          segments.markRecorded(segment);
        }
      } catch (IOException e) {
        unfinished++;
        if (reported.add(segment)) {
          LOG.error("segment {} cannot be reconciled now", segment, e);
        }
      }
    }

    private void mend(UUID segment) {
      try {
        vault.upkeep().mend(segment);
      } catch (IOException e) {
        // What can be read is entered all the same.
        LOG.warn("segment {} cannot be mended now: {}", segment, e.toString());
      }
    }

    Report end() {
      if (rebuilt && listed.complete() && unfinished + damaged + others == 0 && !closed) {
        rebuild.forget();
        LOG.info("what the other stores had more than the one of the rebuild is entered");
      }
      if (walked > 0) {
        LOG.info(
            "reconciled {} segments: {} messages, {} of them were not in the ledger and are now,"
                + " {} were not where it said; {} segments are to be looked at again",
            walked,
            messages,
            entered,
            relocated,
            unfinished);
      }
      if (!lost.isEmpty() && listed.all() && unfinished + damaged + others == 0 && !closed) {
        long gone = segments.noteLost(lost);
        if (gone > 0) {
          LOG.error(
              "{} messages that the ledger keeps are in no store: nobody can read them any more."
                  + " They may have ended after the backup of the database that is in use",
              gone);
        }
      }
      return new Report(
          walked, messages, entered, relocated, unfinished, damaged, listed.complete());
    }
  }

  /**
   * Notes the segments that this process has finished and whose messages are all in the ledger.
   *
   * @return how many
   */
  public int noteFinished() {
    int noted = 0;
    for (UUID segment : vault.ended()) {
      try {
        if (segments.missing(vault.ids(segment)).isEmpty()) {
          segments.markRecorded(segment);
          vault.forget(segment);
          noted++;
        }
      } catch (IOException e) {
        // Not whole: the next start walks it frame by frame.
        LOG.debug("segment {} is left for the next start", segment, e);
      } catch (RuntimeException e) {
        LOG.warn("finished segments are noted later: {}", e.toString());
        return noted;
      }
    }
    return noted;
  }

  /** Goes on in the background, on a thread of its own, until closed. */
  public void watch(Report atStart) {
    watcher =
        Optional.of(Thread.ofPlatform().name("reconcile").daemon().start(() -> watchOn(atStart)));
  }

  private void watchOn(Report atStart) {
    Report last = atStart;
    while (!closed) {
      try {
        noteFinished();
        boolean asked = wanted;
        wanted = false;
        if (asked || last.unfinished() > 0 || !last.complete()) {
          last = run();
        }
      } catch (IOException | RuntimeException e) {
        LOG.warn("reconciling failed; it is tried again: {}", e.toString());
      } catch (InterruptedException e) {
        return;
      }
      if (!closed) {
        LockSupport.parkNanos(INTERVAL.toNanos());
      }
    }
  }

  /** Ends the thread; waits for at most five seconds. */
  @Override
  public void close() {
    closed = true;
    if (watcher.isPresent()) {
      LockSupport.unpark(watcher.get());
      try {
        watcher.get().join(5_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Frames on their way into the ledger. */
  private final class Batch {
    private final Run run;
    private final Map<MessageId, Place> places = new HashMap<>();
    private int messages;
    private int entered;
    private int relocated;
    private int failed;

    Batch(Run run) {
      this.run = run;
    }

    void add(MessageId id, Place place) throws IOException {
      messages++;
      places.put(id, place);
      if (places.size() >= BATCH) {
        enter();
      }
    }

    void enter() throws IOException {
      relocate();
      List<CompletableFuture<Void>> commits = new ArrayList<>();
      for (MessageId id : segments.missing(List.copyOf(places.keySet()))) {
        Place place = places.get(id);
        if (place != null) {
          submit(id, place, commits);
        }
      }
      for (CompletableFuture<Void> commit : commits) {
        try {
          commit.get();
          entered++;
        } catch (ExecutionException e) {
          failed++;
          LOG.error("a message of the vault cannot be entered in the ledger", e);
        } catch (InterruptedException e) {
          throw interrupted(e);
        }
      }
      places.clear();
    }

    // A message that the ledger knows, at a place that is gone: this is where it is.
    private void relocate() throws IOException {
      Map<MessageId, Place> found = new HashMap<>();
      Set<UUID> lost = new HashSet<>();
      segments
          .segmentsOf(places.keySet())
          .forEach(
              (id, named) -> {
                for (UUID segment : named) {
                  Place place = places.get(id);
                  if (place == null || !run.isAbsent(segment)) {
                    continue;
                  }
                  if (run.isLost(segment)) {
                    found.put(id, place);
                    lost.add(segment);
                  } else {
                    // It may be in a store that does not answer.
                    failed++;
                  }
                }
              });
      if (!found.isEmpty()) {
        relocated += segments.relocate(found, lost);
      }
    }

    private void submit(MessageId id, Place place, List<CompletableFuture<Void>> commits)
        throws IOException {
      try {
        List<MessageRecord> records = new ArrayList<>();
        for (MessageRecord record : RecordJson.decode(vault.read(place).meta(), place)) {
          // The node that was to deliver it at once is gone.
          records.add(record.withoutLeases());
        }
        if (run.rebuilt) {
          // What became of it may be in the journal that the rebuild has read.
          rebuild.enter(records);
          entered++;
        } else {
          commits.add(ledger.record(records, () -> {}));
        }
      } catch (MessageErasedException e) {
        // Accepted, never entered, and nobody can read it any more: nothing is left to deliver.
        LOG.warn("message {} at {} is not entered: {}", id, place, e.getMessage());
      } catch (VaultUnavailableException | IllegalArgumentException e) {
        failed++;
        LOG.error("message {} at {} cannot be read and is not entered", id, place, e);
      } catch (SQLException e) {
        throw new IOException("a message of the vault cannot be entered: " + e.getMessage(), e);
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
    }

    private IOException interrupted(InterruptedException e) {
      Thread.currentThread().interrupt();
      return new IOException("interrupted while reconciling", e);
    }
  }
}
