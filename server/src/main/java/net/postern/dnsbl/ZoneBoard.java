package net.postern.dnsbl;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.db.Database;

/** What each node says of the lists that it asks, for those who look from outside. */
public final class ZoneBoard {
  private final Database database;

  public ZoneBoard(Database database) {
    this.database = database;
  }

  /** A node's word on a list. */
  public record Line(UUID node, BlockLists.Status status, Instant seenAt) {}

  /** Replaces what a node said; what nobody said again for a day goes. */
  public void write(UUID node, List<BlockLists.Status> zones) {
    database
        .jdbi()
        .useTransaction(
            handle -> {
              handle.execute(
                  "delete from dnsbl_zone where node = ? or seen_at < now() - interval '1 day'",
                  node);
              for (BlockLists.Status each : zones) {
                handle.execute(
                    "insert into dnsbl_zone (node, zone, up, why, until_at, asked, listed, errors,"
                        + " silent, seen_at) values (?, ?, ?, ?, ?::timestamptz, ?, ?, ?, ?, now())",
                    node,
                    each.title(),
                    each.up(),
                    each.why(),
                    each.until().equals(Instant.MIN) ? null : Timestamp.from(each.until()),
                    each.asked(),
                    each.listed(),
                    each.errors(),
                    each.silent());
              }
            });
  }

  /** What all nodes said, by zone. */
  public List<Line> read() {
    return database.rows(
        "select * from dnsbl_zone order by zone, node",
        row ->
            new Line(
                row.getObject("node", UUID.class),
                new BlockLists.Status(
                    row.getString("zone"),
                    row.getBoolean("up"),
                    row.getString("why"),
                    Optional.ofNullable(row.getTimestamp("until_at"))
                        .map(Timestamp::toInstant)
                        .orElse(Instant.MIN),
                    row.getLong("asked"),
                    row.getLong("listed"),
                    row.getLong("errors"),
                    row.getLong("silent")),
                row.getTimestamp("seen_at").toInstant()));
  }
}
