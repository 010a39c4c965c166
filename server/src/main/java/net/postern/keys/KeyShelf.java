package net.postern.keys;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.blob.Parcel;

/**
 * A copy of every key record beside the stores: in the database, where one of two writers wins.
 * What it has is what counts while it answers; the stores follow. Safe for many threads; every
 * method may block and throws {@link IOException} when the place is away.
 */
public interface KeyShelf {

  /** Keeps nothing: for reading with stores alone. */
  KeyShelf NONE =
      new KeyShelf() {
        @Override
        public Optional<Parcel> get(UUID id) {
          return Optional.empty();
        }

        @Override
        public Parcel raise(UUID id, Parcel parcel) {
          return parcel;
        }

        @Override
        public Parcel replace(UUID id, Parcel before, Parcel parcel) {
          return parcel;
        }

        @Override
        public void written(UUID id, long generation, boolean everywhere) {}

        @Override
        public List<UUID> unsettled(int max) {
          return List.of();
        }

        @Override
        public List<UUID> erasedWithin(Duration time) {
          return List.of();
        }

        @Override
        public void each(Visitor visitor) {}
      };

  /** The record of a key; empty when there is none. */
  Optional<Parcel> get(UUID id) throws IOException;

  /**
   * Keeps a record, unless there is one of the same or a higher generation. A record that is kept
   * is unsettled.
   *
   * @return what is kept then: the caller's, or that of whoever was first
   */
  Parcel raise(UUID id, Parcel parcel) throws IOException;

  /**
   * Puts a record in the place of one that is damaged or forged, whatever the generations; unless
   * something else is there meanwhile. A record that is kept is unsettled.
   *
   * @return what is kept then
   */
  Parcel replace(UUID id, Parcel before, Parcel parcel) throws IOException;

  /**
   * Notes that stores were given a record. When a higher generation is kept meanwhile it may have
   * been written over in a store, and is unsettled again.
   *
   * @param everywhere whether every store has it now
   */
  void written(UUID id, long generation, boolean everywhere) throws IOException;

  /**
   * Keys whose record may be missing in a store.
   *
   * @param max most that are given
   */
  List<UUID> unsettled(int max) throws IOException;

  /** Keys that were erased in the time before now. */
  List<UUID> erasedWithin(Duration time) throws IOException;

  /** Calls the visitor with every record, in no order; holds few of them in memory. */
  void each(Visitor visitor) throws IOException;

  /** Gets the records. */
  @FunctionalInterface
  interface Visitor {
    void key(UUID id, Parcel parcel) throws IOException;
  }
}
