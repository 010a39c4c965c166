package net.postern.ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import net.postern.blob.Replicas;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the journal in the stores small: puts many small objects together, and leaves out what a
 * later entry supersedes and what is about messages that are gone.
 *
 * <p>Objects are merged by size, as in a log-structured merge tree (O'Neil et al. 1996), so that an
 * entry is written again a few times at most. The new object is in at least {@code vault.minimum}
 * stores before an old one is deleted anywhere, and an old one is deleted only in stores that took
 * the new one: whatever happens in between, every store that had an entry has it. An old object
 * that a store brings back does no harm; it is merged again.
 */
public final class JournalMerge {
  private static final Logger LOG = LoggerFactory.getLogger(JournalMerge.class);

  /** Objects below these sizes in bytes are merged with each other. */
  private static final List<Long> TIERS = List.of(64L << 10, 1L << 20);

  /** So many of a tier are worth merging. */
  private static final int MANY = 64;

  /** Most bytes that one merge reads: held in memory, about five times as large. */
  private static final long MAX_BYTES = 8L << 20;

  /** Objects that one call of {@link #prune} reads, of at most {@link #MAX_BYTES}. */
  static final int PRUNED_AT_ONCE = 16;

  private final List<ObjectStore> stores;
  private final int minimum;
  private final Replicas replicas;
  private final JournalCodec codec;

  // How far pruning has come: the object that was looked at last; empty between two rounds.
  private String pruned = "";

  // How many segments were deleted when the last round began.
  private long prunedFor;

  /**
   * Says of which messages no frame is left.
   *
   * <p>An entry is what keeps a message from being delivered again when the ledger is made anew
   * from a store that has its frame. So a message is gone only when no store has its frame and none
   * can bring it back: every store was up, and its segment was deleted in all of them.
   */
  @FunctionalInterface
  public interface Gone {
    /** Nothing is ever gone. */
    Gone NOTHING = messages -> Set.of();

    /** Those of the messages that are gone. */
    Set<MessageId> among(Set<MessageId> messages) throws IOException;
  }

  /**
   * @param minimum fewest stores that have to take a merged object
   */
  public JournalMerge(List<? extends ObjectStore> stores, int minimum, KeyRing keys) {
    this.stores = List.copyOf(stores);
    this.minimum = minimum;
    this.replicas = new Replicas(stores, minimum);
    this.codec = new JournalCodec(keys);
  }

  /**
   * Merges small objects as long as there are many of them.
   *
   * @return how many objects there are fewer
   * @throws IOException when no store can be listed, or too few take a merged object
   */
  public int merge(Gone gone) throws IOException {
    int fewer = 0;
    for (long tier : TIERS) {
      List<String> batch = new ArrayList<>();
      long bytes = 0;
      for (Map.Entry<String, Long> each : objects().entrySet()) {
        if (each.getValue() < tier && (bytes += each.getValue()) <= MAX_BYTES) {
          batch.add(each.getKey());
        }
      }
      if (batch.size() >= MANY) {
        fewer += rewrite(batch, gone, false);
      }
    }
    return fewer;
  }

  /**
   * Looks at a part of the journal, {@link #PRUNED_AT_ONCE} objects, and writes those again of
   * which at least half is about messages that are gone. Calls that follow each other look at all
   * of it. When all was seen, nothing is read until more segments were deleted. For one thread.
   *
   * @param deleted how many segments compaction has deleted since this process started
   * @return how many objects there are fewer
   * @throws IOException when no store can be listed, or too few take an object
   */
  public int prune(Gone gone, long deleted) throws IOException {
    if (pruned.isEmpty() && deleted == prunedFor) {
      return 0;
    }
    if (pruned.isEmpty()) {
      prunedFor = deleted;
    }
    int looked = 0;
    int fewer = 0;
    for (String object : objects().tailMap(pruned, false).keySet()) {
      if (looked == PRUNED_AT_ONCE) {
        return fewer;
      }
      looked++;
      fewer += rewrite(List.of(object), gone, true);
      pruned = object;
    }
    pruned = "";
    return fewer;
  }

  // The objects that any store lists, and their lengths. Sorted, so that a run is repeatable.
  private NavigableMap<String, Long> objects() throws IOException {
    TreeMap<String, Long> found = new TreeMap<>();
    int listed = 0;
    IOException failure = new IOException("no store can be listed");
    for (ObjectStore store : stores) {
      try {
        store.list(JournalCodec.KIND, each -> found.merge(each.object(), each.length(), Math::max));
        listed++;
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    if (listed == 0) {
      throw failure;
    }
    return found;
  }

  private int rewrite(List<String> objects, Gone gone, boolean onlyWhenMuchIsGone)
      throws IOException {
    Map<DeliveryKey, JournalEntry> last = new LinkedHashMap<>();
    List<String> readable = new ArrayList<>();
    int entries = 0;
    for (String object : objects) {
      List<JournalEntry> read;
      try {
        read = replicas.get(object, parcel -> codec.decode(object, parcel.content()));
      } catch (IOException e) {
        // What nobody can read is for the scrub to mend, or for someone to look at.
        LOG.warn("journal object {} is left as it is: {}", object, e.toString());
        continue;
      }
      readable.add(object);
      entries += read.size();
      for (JournalEntry each : read) {
        last.merge(each.delivery(), each, (a, b) -> b.supersedes(a) ? b : a);
      }
    }
    last.keySet().removeIf(new HashSet<>(goneDeliveries(last.keySet(), gone))::contains);
    boolean worth = onlyWhenMuchIsGone ? entries >= 2 * last.size() : readable.size() > 1;
    if (!worth) {
      return 0;
    }
    List<ObjectStore> took = last.isEmpty() ? stores : put(List.copyOf(last.values()));
    for (String object : readable) {
      for (ObjectStore store : took) {
        try {
          store.delete(object);
        } catch (IOException e) {
          LOG.debug("store {} keeps {} for now", store.name(), object, e);
        }
      }
    }
    return readable.size() - (last.isEmpty() ? 0 : 1);
  }

  private static List<DeliveryKey> goneDeliveries(Collection<DeliveryKey> deliveries, Gone gone)
      throws IOException {
    Set<MessageId> messages = new HashSet<>();
    deliveries.forEach(each -> messages.add(each.message()));
    Set<MessageId> away = gone.among(messages);
    return deliveries.stream().filter(each -> away.contains(each.message())).toList();
  }

  private List<ObjectStore> put(List<JournalEntry> entries) throws IOException {
    String object = Journal.newObject();
    byte[] bytes = new Parcel(1, codec.encode(object, entries)).encode(object);
    List<ObjectStore> took = new ArrayList<>();
    IOException failure = new IOException("too few stores took a merged part of the journal");
    for (ObjectStore store : stores) {
      try {
        store.put(object, ByteBuffer.wrap(bytes));
        took.add(store);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    if (took.size() < minimum) {
      throw failure;
    }
    return took;
  }
}
