package net.postern.source;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import net.postern.db.Database;

/** The internal block list by hand; running nodes learn of a change within seconds. */
public final class SourceDesk {
  private final SourceTable table;
  private final InstantSource clock;

  public SourceDesk(Database database, InstantSource clock) {
    this.table = new SourceTable(database);
    this.clock = clock;
  }

  /**
   * What is known of a source.
   *
   * @param blocks its last for a flood and its last for anything else, also those that are over
   */
  public record Account(Source source, Standing standing, List<Block> blocks) {
    public Account {
      blocks = List.copyOf(blocks);
    }
  }

  /** Sources that are blocked now, those that are released last first. */
  public List<Block> blocked(int most) throws SQLException {
    Instant now = clock.instant();
    return table.remembered(now, most).stream()
        .map(SourceTable.BlockRow::block)
        .filter(block -> block.stands(now))
        .toList();
  }

  public Account account(Source source) throws SQLException {
    Instant now = clock.instant();
    Standing standing =
        table.standingsOf(List.of(source)).stream()
            .map(row -> Standing.at(now, row.good(), row.bad()))
            .findFirst()
            .orElse(Standing.NONE);
    return new Account(source, standing, table.blocksOf(source));
  }

  /** Blocks a source for so long, in place of what stands. */
  public Block block(Source source, Duration length, String why) throws SQLException {
    Instant now = clock.instant();
    int offence =
        table.blocksOf(source).stream()
            .filter(block -> block.kind() != Block.Kind.FLOOD)
            .map(Block::offence)
            .findFirst()
            .orElse(1);
    Block block = new Block(source, Block.Kind.ADMIN, why, offence, now, now.plus(length));
    table.put(block);
    return block;
  }

  /**
   * Ends a source's blocks, and forgets that there were any.
   *
   * @return those that stood; none when it was not blocked
   */
  public List<Block> unblock(Source source) throws SQLException {
    Instant now = clock.instant();
    List<Block> standing =
        table.blocksOf(source).stream().filter(block -> block.stands(now)).toList();
    for (Block was : standing) {
      table.forgetWindow(source);
      table.put(new Block(source, was.kind(), was.why(), 0, was.since(), now));
    }
    return standing;
  }
}
