package net.postern.intake;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import net.postern.id.MessageId;
import net.postern.ledger.Ledger;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.RecordJson;
import net.postern.ledger.SegmentTable;
import net.postern.vault.Place;
import net.postern.vault.SegmentVault;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enters messages that are in the vault but not in the ledger: those that were acknowledged when
 * the process died, or the database was away, before their record was committed. Runs at start,
 * before mail is accepted, over the segments that are not yet noted as entered completely.
 */
public final class Reconciler {
  private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);

  /** Messages whose presence is asked for in one query. */
  private static final int BATCH = 2_000;

  private final SegmentVault vault;
  private final Ledger ledger;
  private final SegmentTable segments;

  public Reconciler(SegmentVault vault, Ledger ledger, SegmentTable segments) {
    this.vault = vault;
    this.ledger = ledger;
    this.segments = segments;
  }

  /**
   * What a run found.
   *
   * @param segments how many were walked
   * @param messages how many frames they hold
   * @param entered how many messages the ledger lacked
   */
  public record Report(int segments, int messages, int entered) {}

  /**
   * Walks every segment that is not noted as complete, other than the one that is being written.
   *
   * @throws IOException when no store can be listed, or a segment cannot be read from any
   */
  public Report run() throws IOException, InterruptedException {
    Set<UUID> known = segments.recorded();
    int walked = 0;
    int messages = 0;
    int entered = 0;
    for (UUID segment : vault.upkeep().segments()) {
      if (known.contains(segment) || vault.isOpen(segment)) {
        continue;
      }
      Report report = reconcile(segment);
      walked++;
      messages += report.messages();
      entered += report.entered();
    }
    if (walked > 0) {
      LOG.info(
          "reconciled {} segments: {} messages, {} of them were not in the ledger and are now",
          walked,
          messages,
          entered);
    }
    return new Report(walked, messages, entered);
  }

  private Report reconcile(UUID segment) throws IOException, InterruptedException {
    Map<MessageId, Place> batch = new HashMap<>();
    int[] counts = new int[2];
    vault.walk(
        segment,
        (place, id, content) -> {
          batch.put(id, place);
          counts[0]++;
          if (batch.size() >= BATCH) {
            counts[1] += enterMissing(batch);
            batch.clear();
          }
        });
    counts[1] += enterMissing(batch);
    segments.markRecorded(segment);
    return new Report(1, counts[0], counts[1]);
  }

  private int enterMissing(Map<MessageId, Place> batch) throws IOException {
    int entered = 0;
    for (MessageId id : segments.missing(List.copyOf(batch.keySet()))) {
      Place place = batch.get(id);
      if (place != null) {
        enter(place);
        entered++;
      }
    }
    return entered;
  }

  private void enter(Place place) throws IOException {
    try {
      List<MessageRecord> records = new ArrayList<>();
      for (MessageRecord record : RecordJson.decode(vault.read(place).meta(), place)) {
        // The node that was to deliver it at once is gone.
        records.add(record.withoutLeases());
      }
      ledger.record(records, () -> {}).get();
    } catch (net.postern.vault.VaultUnavailableException
        | IllegalArgumentException
        | java.util.concurrent.ExecutionException e) {
      throw new IOException("the message at " + place + " cannot be entered", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while entering " + place, e);
    }
  }
}
