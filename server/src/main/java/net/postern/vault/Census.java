package net.postern.vault;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.postern.blob.ObjectStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lists several stores side by side, in the order of names, with bounded memory: a kind of too many
 * objects is listed in parts, by the beginnings of their names.
 */
final class Census {
  private static final Logger LOG = LoggerFactory.getLogger(Census.class);

  /** Objects whose names are held at once, as far as parts can be made. */
  static final int HELD = 100_000;

  /** No name is shorter than this and one. */
  private static final int DEEPEST = 2;

  /** What names are made of, in their order. */
  private static final String LETTERS = "-0123456789abcdefghijklmnopqrstuvwxyz";

  private final int held;

  Census() {
    this(HELD);
  }

  /**
   * @param held as {@link #HELD}, for tests
   */
  Census(int held) {
    this.held = held;
  }

  /** Gets the objects. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param lengths the length of the object in each store that has it
     * @param listed the stores that were asked and answered
     * @return whether to go on
     */
    boolean object(String object, Map<ObjectStore, Long> lengths, List<ObjectStore> listed)
        throws IOException;
  }

  private static final class TooMany extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooMany() {
      super("listed in parts", null, false, false);
    }
  }

  /**
   * Visits every object of a kind behind {@code after}.
   *
   * @param after an object's name; empty for all
   * @return whether all were visited
   * @throws IOException when no store can be listed, or the visitor fails
   */
  boolean walk(String kind, List<ObjectStore> stores, String after, Visitor visitor)
      throws IOException {
    return walk(kind, "", stores, after, visitor);
  }

  private boolean walk(
      String kind, String prefix, List<ObjectStore> stores, String after, Visitor visitor)
      throws IOException {
    String beginning = kind + "/" + prefix;
    if (beginning.compareTo(after) < 0 && !after.startsWith(beginning)) {
      return true;
    }
    TreeMap<String, Map<ObjectStore, Long>> found = new TreeMap<>();
    List<ObjectStore> listed;
    try {
      listed = list(kind, prefix, stores, found, prefix.length() < DEEPEST ? held : Long.MAX_VALUE);
    } catch (TooMany e) {
      found.clear();
      for (int i = 0; i < LETTERS.length(); i++) {
        if (!walk(kind, prefix + LETTERS.charAt(i), stores, after, visitor)) {
          return false;
        }
      }
      return true;
    }
    for (Map.Entry<String, Map<ObjectStore, Long>> each : found.tailMap(after, false).entrySet()) {
      if (!visitor.object(each.getKey(), each.getValue(), listed)) {
        return false;
      }
    }
    return true;
  }

  private static List<ObjectStore> list(
      String kind,
      String prefix,
      List<ObjectStore> stores,
      Map<String, Map<ObjectStore, Long>> found,
      long held)
      throws IOException {
    List<ObjectStore> listed = new ArrayList<>();
    IOException failure = new IOException("no store can be listed");
    for (ObjectStore store : stores) {
      try {
        store.list(
            kind,
            prefix,
            each -> {
              found
                  .computeIfAbsent(each.object(), name -> new HashMap<>(4))
                  .put(store, each.length());
              if (found.size() > held) {
                throw new TooMany();
              }
            });
        listed.add(store);
      } catch (IOException e) {
        LOG.warn("store {}: cannot be listed: {}", store.name(), e.toString());
        failure.addSuppressed(e);
        found.values().forEach(lengths -> lengths.remove(store));
      }
    }
    if (listed.isEmpty()) {
      throw failure;
    }
    found.values().removeIf(Map::isEmpty);
    return listed;
  }
}
