package net.postern.vault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a store that was away up to date by copying what it lacks. What is lacking is seen from
 * the listings of the stores themselves: there is no queue that a crash could lose.
 */
final class CatchUp {
  private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);

  private final Mender mender;
  private final Supplier<Boolean> stop;

  /**
   * @param stop asked between two objects
   */
  CatchUp(Mender mender, Supplier<Boolean> stop) {
    this.mender = mender;
    this.stop = stop;
  }

  /**
   * What stores list.
   *
   * @param found by object: its length in each store that has it
   * @param listed how many stores answered
   */
  record Listing(Map<String, Map<ObjectStore, Long>> found, int listed) {}

  /**
   * Lists a kind in several stores.
   *
   * @throws IOException when no store can be listed
   */
  static Listing listing(String kind, List<ObjectStore> stores) throws IOException {
    Map<String, Map<ObjectStore, Long>> found = new HashMap<>();
    int listed = 0;
    IOException failure = new IOException("no store can be listed");
    for (ObjectStore store : stores) {
      try {
        store.list(
            kind,
            each ->
                found
                    .computeIfAbsent(each.object(), name -> new HashMap<>())
                    .put(store, each.length()));
        listed++;
      } catch (IOException e) {
        LOG.warn("store {}: cannot be listed: {}", store.name(), e.toString());
        failure.addSuppressed(e);
      }
    }
    if (listed == 0) {
      throw failure;
    }
    return new Listing(found, listed);
  }

  /**
   * Copies every object that a store lacks, or has less of, from those that have it.
   *
   * @return how many copies were made
   * @throws IOException when no store can be listed
   */
  int run(List<ObjectStore> up) throws IOException {
    int copies = 0;
    List<String> kinds = new ArrayList<>(Parcel.KINDS);
    kinds.add(Segment.KIND);
    for (String kind : kinds) {
      for (Map.Entry<String, Map<ObjectStore, Long>> entry : listing(kind, up).found().entrySet()) {
        if (stop.get()) {
          return copies;
        }
        Map<ObjectStore, Long> held = entry.getValue();
        if (held.size() == up.size() && new HashSet<>(held.values()).size() == 1) {
          continue;
        }
        try {
          copies += mender.mend(entry.getKey(), up);
        } catch (IOException | RuntimeException e) {
          LOG.warn("cannot bring {} up to date: {}", entry.getKey(), e.toString());
        }
      }
    }
    return copies;
  }
}
