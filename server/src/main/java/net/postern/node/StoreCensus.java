package net.postern.node;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import net.postern.blob.ObjectStore;
import net.postern.config.PosternConfig;
import net.postern.vault.SegmentVault;

/** Counts what each store holds on its own. */
public final class StoreCensus {
  private StoreCensus() {}

  /**
   * Undamaged frames in each store, in configured order; every byte is read and checked.
   *
   * @throws StartException when a store cannot be opened
   * @throws IOException when one cannot be read
   */
  public static List<Long> frames(PosternConfig config) throws StartException, IOException {
    List<Long> counts = new ArrayList<>();
    try (Stores stores = Stores.open(config.vault(), config.node().data())) {
      for (ObjectStore store : stores.list()) {
        counts.add(SegmentVault.countFrames(store));
      }
    }
    return counts;
  }
}
