package net.postern.keys;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.blob.ObjectStore;
import net.postern.blob.Parcel;

/**
 * Seals every record that a previous master key wraps under the current one: those of customers and
 * the system's; with them those of an old version. Mailboxes' keys hang on their customers' and
 * messages on the mailboxes', so nothing else is written again, and no mail.
 *
 * <p>May be stopped at any point and run again, by several at once: a record is raised by one
 * generation in the database first, where one of two wins, and then written to the stores. What was
 * not reached yet opens with the previous key as before. Holds 100 bytes or so for each key of the
 * installation.
 */
public final class MasterRotation {
  private final KeyRing ring;
  private final KeyPlaces places;
  private final MasterKeys masters;

  public MasterRotation(KeyRing ring) {
    this.ring = ring;
    this.places = ring.places();
    this.masters = ring.masters();
  }

  /**
   * What one place still has.
   *
   * @param needing records that only a master key other than the current one opens
   * @param unreadable records that are damaged, or that the place did not give
   * @param away why the place could not be asked at all; empty when it could
   */
  public record Left(int needing, int unreadable, Optional<String> away) {
    /** Whether the place needs no other master key than the current one. */
    public boolean none() {
      return needing == 0 && unreadable == 0 && away.isEmpty();
    }
  }

  /**
   * What a run did and found.
   *
   * @param records records under a master key
   * @param rewrapped how many of them were sealed under the current one by this run
   * @param problems records that could not be, and why
   * @param left for the database and each store, by name
   */
  public record Report(int records, int rewrapped, List<String> problems, Map<String, Left> left) {
    public Report {
      problems = List.copyOf(problems);
    }

    /** Whether nothing needs a previous master key any more. */
    public boolean complete() {
      return problems.isEmpty() && left.values().stream().allMatch(Left::none);
    }
  }

  /** The name of the database in {@link Report#left}. */
  public static final String DATABASE = "database";

  /**
   * Does it, and looks at every place afterwards.
   *
   * @throws IOException when the database is away: nothing was changed then, or not everything
   */
  public Report run() throws IOException {
    Map<ObjectStore, String> away = new HashMap<>();
    Set<UUID> ids = underMaster(away);
    int rewrapped = 0;
    List<String> problems = new ArrayList<>();
    for (UUID id : ids) {
      try {
        rewrapped += rewrap(id) ? 1 : 0;
      } catch (IOException e) {
        problems.add(reason(e));
      }
    }
    return new Report(ids.size(), rewrapped, problems, left(ids, away));
  }

  // Of the keys that the database has it is known which hang on a master key; of others, which only
  // a store lists, the record is read.
  private Set<UUID> underMaster(Map<ObjectStore, String> away) throws IOException {
    Set<UUID> under = new HashSet<>();
    Set<UUID> others = new HashSet<>();
    places
        .shelf()
        .each(
            (id, parcel) -> {
              if (mayBeUnderMaster(id, parcel)) {
                under.add(id);
              } else {
                others.add(id);
              }
            });
    Set<UUID> unknown = new HashSet<>();
    for (ObjectStore store : places.stores()) {
      try {
        store.list(
            KeyRecord.KIND,
            each ->
                KeyRecord.id(each.object())
                    .filter(id -> !under.contains(id) && !others.contains(id))
                    .ifPresent(unknown::add));
      } catch (IOException e) {
        away.put(store, reason(e));
      }
    }
    for (UUID id : unknown) {
      for (Parcel each : KeyPlaces.parcels(places.copies(id))) {
        if (mayBeUnderMaster(id, each)) {
          under.add(id);
        }
      }
    }
    return under;
  }

  // One that cannot be read is looked at with those that are, and reported.
  private static boolean mayBeUnderMaster(UUID id, Parcel parcel) {
    try {
      return KeyRecord.decode(id, parcel).underMaster();
    } catch (IOException e) {
      return true;
    }
  }

  private boolean rewrap(UUID id) throws IOException {
    Optional<Parcel> shelved = places.shelf().get(id);
    List<KeyPlaces.Copy> copies = places.copies(id);
    Parcel right = ring.right(id, shelved, copies);
    KeyRecord record = KeyRecord.decode(id, right);
    boolean old =
        record.underMaster()
            && (record.isOld() || !record.masterId().equals(masters.current().id()));
    if (old) {
      right = ring.underCurrent(record).parcel();
    }
    Parcel kept = ring.keep(id, right);
    List<ObjectStore> lacking = new ArrayList<>();
    for (KeyPlaces.Copy copy : copies) {
      if (!copy.parcel().equals(Optional.of(kept))) {
        lacking.add(copy.store());
      }
    }
    boolean everywhere = places.spread(id, kept, lacking).isEmpty();
    places.shelf().written(id, kept.generation(), everywhere);
    return old && kept.equals(right);
  }

  private Map<String, Left> left(Set<UUID> ids, Map<ObjectStore, String> away) throws IOException {
    Map<String, int[]> counts = new LinkedHashMap<>();
    counts.put(DATABASE, new int[2]);
    places.stores().forEach(store -> counts.put(store.name(), new int[2]));
    for (UUID id : ids) {
      Optional<Parcel> shelved = places.shelf().get(id);
      count(id, shelved, Optional.empty(), counts.getOrDefault(DATABASE, new int[2]));
      for (KeyPlaces.Copy copy : places.copies(id)) {
        count(
            id,
            copy.parcel(),
            copy.failure(),
            counts.getOrDefault(copy.store().name(), new int[2]));
      }
    }
    Map<String, Left> left = new LinkedHashMap<>();
    counts.forEach((name, found) -> left.put(name, new Left(found[0], found[1], Optional.empty())));
    away.forEach(
        (store, why) -> {
          int[] found = counts.getOrDefault(store.name(), new int[2]);
          left.put(store.name(), new Left(found[0], found[1], Optional.of(why)));
        });
    return left;
  }

  private void count(UUID id, Optional<Parcel> parcel, Optional<IOException> failure, int[] found) {
    if (failure.isPresent()) {
      found[1]++;
    }
    if (parcel.isPresent()) {
      try {
        KeyRecord record = KeyRecord.decode(id, parcel.get());
        if (record.underMaster() && !record.masterId().equals(masters.current().id())) {
          found[0]++;
        }
      } catch (IOException e) {
        found[1]++;
      }
    }
  }

  private static String reason(IOException e) {
    Throwable[] causes = e.getSuppressed();
    return causes.length == 0 || causes[0].getMessage() == null
        ? String.valueOf(e.getMessage())
        : String.valueOf(causes[0].getMessage());
  }
}
