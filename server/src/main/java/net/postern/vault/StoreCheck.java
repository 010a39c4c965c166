package net.postern.vault;

import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import net.postern.blob.ObjectStore;
import net.postern.blob.TimedStore;
import net.postern.config.VaultConfig;
import net.postern.keys.KeyRing;

/** One full check of all stores, now, on the caller's thread and as fast as it goes. */
public final class StoreCheck {
  private StoreCheck() {}

  /**
   * What was checked in one store.
   *
   * @param full whether everything in it could be read
   */
  public record Checked(long objects, long bytes, boolean full) {}

  /**
   * What a check found.
   *
   * @param stores by name
   */
  public record Result(Map<String, Checked> stores, long found, long repaired, long unrepaired) {

    /** Whether everything could be looked at, and is now as it should be. */
    public boolean whole() {
      return unrepaired == 0
          && found == repaired
          && stores.values().stream().allMatch(Checked::full);
    }
  }

  /**
   * Checks.
   *
   * @param facts what is known of segments; must leave alone those that a running node may write
   * @param keys tell genuine objects from forged ones; without any most copies win
   * @param repair whether to mend what is found; nothing is changed otherwise
   * @param each is told each finding at once
   * @throws IOException when no store can be listed
   */
  public static Result run(
      VaultConfig config,
      List<? extends ObjectStore> stores,
      SegmentFacts facts,
      Optional<KeyRing> keys,
      boolean repair,
      Clock clock,
      Consumer<Finding> each)
      throws IOException {
    List<ObjectStore> timed = new ArrayList<>();
    stores.forEach(store -> timed.add(TimedStore.around(store, config.readWait())));
    ScrubPass pass =
        new ScrubPass(
            new Mender(
                stores.size(),
                config.minimum(),
                facts,
                keys.<ParcelCheck>map(ring -> ring::judge).orElse(ParcelCheck.NO_KEYS)),
            () -> timed,
            Set.of(),
            repair,
            clock,
            () -> false);
    long[] counts = new long[3];
    pass.run(
        "",
        ScrubPass.gathering(
            finding -> {
              counts[0]++;
              counts[1] += finding.outcome() == Finding.Outcome.REPAIRED ? 1 : 0;
              counts[2] += finding.outcome() == Finding.Outcome.UNREPAIRED ? 1 : 0;
              each.accept(finding);
            }));
    Map<String, Checked> checked = new TreeMap<>();
    pass.tallies()
        .forEach(
            (name, tally) ->
                checked.put(name, new Checked(tally.objects, tally.bytes, tally.full)));
    return new Result(checked, counts[0], counts[1], counts[2]);
  }
}
