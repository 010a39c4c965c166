package net.postern.vault;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the health of the stores: takes one that runs full out of use, tries those that are down.
 *
 * <p>Threads: each look at a store happens on a short-lived thread of its own, at most one for each
 * store, because a store that hangs must not keep the others from coming back.
 */
final class StoreWatch {
  private static final Logger LOG = LoggerFactory.getLogger(StoreWatch.class);

  /** Kind of the objects that are written to try a store, and deleted at once. */
  static final String PROBE = "probe";

  /** Written to try a store: large enough that a full disk refuses it. */
  private static final int PROBE_BYTES = 64 << 10;

  private final List<StoreLane> lanes;
  private final long reserve;
  private final Runnable returned;
  private final Events events;
  private final Set<StoreLane> looking = ConcurrentHashMap.newKeySet();

  /**
   * @param reserve bytes below which a store takes no mail
   * @param returned told when a store takes mail again; must not block
   */
  StoreWatch(List<StoreLane> lanes, long reserve, Runnable returned, Events events) {
    this.lanes = lanes;
    this.reserve = reserve;
    this.returned = returned;
    this.events = events;
  }

  /** Begins a look at every store that is not being looked at. */
  void look() {
    for (StoreLane lane : lanes) {
      if (looking.add(lane)) {
        Thread.ofPlatform()
            .name("store-look-" + lane.store().name())
            .daemon()
            .start(() -> look(lane));
      }
    }
  }

  private void look(StoreLane lane) {
    try {
      lookAt(lane);
    } catch (RuntimeException e) {
      LOG.warn("store {}: cannot look at its health", lane.store().name(), e);
    } finally {
      looking.remove(lane);
    }
  }

  private void lookAt(StoreLane lane) {
    String name = lane.store().name();
    boolean up = lane.up();
    OptionalLong usable = OptionalLong.empty();
    String failure = "";
    try {
      usable = OptionalLong.of(lane.store().usableBytes());
    } catch (IOException e) {
      failure = "cannot tell its free space: " + e;
    }
    boolean full = usable.isPresent() && usable.getAsLong() < reserve;
    if (full) {
      failure =
          "%d MiB free, vault.reserve is %d MiB".formatted(usable.getAsLong() >> 20, reserve >> 20);
    }
    if (up) {
      if (!failure.isEmpty() && lane.up()) {
        down(lane, failure, full);
      }
    } else if (lane.busy()) {
      LOG.trace("store {} still works on something", name);
    } else if (full) {
      // Compaction may delete from it, and put in place of more something smaller.
      lane.markFull(failure);
    } else if (!failure.isEmpty() || !probe(lane)) {
      lane.markDown(failure.isEmpty() ? lane.why() : failure);
    } else if (!lane.busy()) {
      LOG.info("store {} takes mail again", name);
      lane.markUp();
      events.emit(new MailEvent.StoreHealth(name, true, ""));
      returned.run();
    }
  }

  private void down(StoreLane lane, String why, boolean full) {
    if (full) {
      lane.markFull(why);
    } else {
      lane.markDown(why);
    }
    if (!lane.announceDown()) {
      return;
    }
    LOG.error("store {} takes no mail: {}", lane.store().name(), why);
    events.emit(new MailEvent.StoreHealth(lane.store().name(), false, why));
  }

  private static boolean probe(StoreLane lane) {
    String object = PROBE + "/" + UUID.randomUUID();
    try {
      lane.store().put(object, ByteBuffer.allocate(PROBE_BYTES));
      lane.store().delete(object);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
