package net.postern.ledger;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.vault.SegmentFacts;
import net.postern.vault.SegmentNames;
import org.jdbi.v3.core.JdbiException;

/**
 * The nodes that run on one database, and what they may be writing. A node tells the database every
 * few seconds that it is there ({@link #beat}); accepting mail needs none of this.
 *
 * <p>Another node's segment that is not recorded yet is left alone as long as that node is alive:
 * it may be growing, and only its own node knows when it has ended. When the node stopped or was
 * not heard of for {@link #LIMIT}, any other may look at it. A node's own segments of an earlier
 * life are never left alone. Safe for many threads.
 */
public final class LiveNodes implements SegmentFacts {
  /**
   * A node that was not heard of for so long is taken for dead. Long, since a node that has lost
   * only the database goes on accepting mail for a while.
   */
  public static final Duration LIMIT = Duration.ofMinutes(10);

  private static final String ALIVE =
      "select id from node where id <> ? and seen_at > now() - ? * interval '1 second'";

  private final Database database;
  private final UUID node;
  private final SegmentFacts facts;
  private Set<UUID> others = Set.of();

  /**
   * @param node this one, the same over restarts
   * @param facts about segments that no other node may be writing
   */
  public LiveNodes(Database database, UUID node, SegmentFacts facts) {
    this.database = database;
    this.node = node;
    this.facts = facts;
  }

  /**
   * Tells that this node is alive, and looks who else is.
   *
   * @return whether a node that was alive at the last beat is no more
   */
  public synchronized boolean beat() {
    Set<UUID> now =
        database
            .jdbi()
            .withHandle(
                handle -> {
                  handle.execute(
                      "insert into node (id, seen_at) values (?, now())"
                          + " on conflict (id) do update set seen_at = excluded.seen_at",
                      node);
                  return new HashSet<>(
                      handle
                          .createQuery(ALIVE)
                          .bind(0, node)
                          .bind(1, LIMIT.toSeconds())
                          .mapTo(UUID.class)
                          .list());
                });
    boolean gone = !now.containsAll(others);
    others = now;
    return gone;
  }

  /** Tells that this node stops: all that it wrote has ended. */
  public void leave() {
    database.jdbi().useHandle(handle -> handle.execute("delete from node where id = ?", node));
  }

  @Override
  public Fate fate(UUID segment) throws IOException {
    List<UUID> alive;
    try {
      // Asked each time: a node may have begun a moment ago.
      alive =
          database
              .jdbi()
              .withHandle(
                  handle ->
                      handle
                          .createQuery(
                              ALIVE + " and not exists (select from segment s where s.id = ?)")
                          .bind(0, node)
                          .bind(1, LIMIT.toSeconds())
                          .bind(2, segment)
                          .mapTo(UUID.class)
                          .list());
    } catch (JdbiException e) {
      throw new IOException("the database cannot be asked about nodes: " + e.getMessage(), e);
    }
    boolean others = alive.stream().anyMatch(each -> new SegmentNames(each).isMine(segment));
    return others && !new SegmentNames(node).isMine(segment)
        ? Fate.LEFT_ALONE
        : facts.fate(segment);
  }
}
