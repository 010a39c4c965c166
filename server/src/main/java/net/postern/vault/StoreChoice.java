package net.postern.vault;

import java.util.List;
import net.postern.blob.ObjectStore;

/** Which stores to ask for what. Safe for many threads. */
public interface StoreChoice {

  /** Every store that is configured. */
  List<ObjectStore> all();

  /** Those that take mail now. */
  List<ObjectStore> up();

  /** Those that take no mail for no other reason than that little space is free. */
  List<ObjectStore> full();

  /** Those that are worth reading from, best first. */
  List<ObjectStore> readable();

  /** Stores of which nothing is known: all are tried. */
  static StoreChoice of(List<? extends ObjectStore> stores) {
    List<ObjectStore> list = List.copyOf(stores);
    return new StoreChoice() {
      @Override
      public List<ObjectStore> all() {
        return list;
      }

      @Override
      public List<ObjectStore> up() {
        return list;
      }

      @Override
      public List<ObjectStore> full() {
        return List.of();
      }

      @Override
      public List<ObjectStore> readable() {
        return list;
      }
    };
  }
}
