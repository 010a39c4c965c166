package net.postern.node;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import net.postern.config.PosternConfig;
import net.postern.db.BundledPostgres;
import net.postern.db.Database;
import net.postern.db.DatabaseException;
import net.postern.ledger.SegmentRetention;
import net.postern.ledger.SegmentTable;
import net.postern.tenant.LegalHolds;
import net.postern.vault.Finding;
import net.postern.vault.SegmentFacts;
import net.postern.vault.StoreCheck;

/** Checks all stores from the command line, beside a running node or without. */
public final class VaultInspection {
  private VaultInspection() {}

  /**
   * Reads everything in all stores once.
   *
   * <p>Beside a running node only segments that are known to be finished are looked at: the others
   * it may be writing. Without one the data directory is claimed, so that none starts meanwhile,
   * and the bundled database is started for the time of the check: it knows what was removed. When
   * it is lost, everything that any store has is to be kept.
   *
   * @param repair whether to mend what is found
   * @param each is told each finding at once
   * @throws StartException when the installation cannot be reached
   * @throws IOException when no store can be read
   */
  public static StoreCheck.Result run(PosternConfig config, boolean repair, Consumer<Finding> each)
      throws StartException, IOException {
    try {
      Optional<Database> running = Database.beside(config.database(), config.node().data());
      if (running.isPresent()) {
        try (Database database = running.get()) {
          return check(config, besideNode(database), repair, each);
        }
      }
      try (DataDirectory _ = DataDirectory.claim(config.node().data())) {
        if (!BundledPostgres.isThere(config.node().data())) {
          return check(config, SegmentFacts.ALL_KEPT, repair, each);
        }
        try (Database database = Database.open(config.database(), config.node().data())) {
          return check(config, retention(database), repair, each);
        }
      }
    } catch (DatabaseException e) {
      throw new StartException(String.valueOf(e.getMessage()), e);
    }
  }

  private static SegmentFacts besideNode(Database database) {
    Set<UUID> finished = new SegmentTable(database).recorded();
    SegmentRetention retention = retention(database);
    return segment ->
        finished.contains(segment) ? retention.fate(segment) : SegmentFacts.Fate.LEFT_ALONE;
  }

  // For what became of segments; what is kept, and until when, is not asked here.
  private static SegmentRetention retention(Database database) {
    return new SegmentRetention(
        database, new LegalHolds(database, Clock.systemUTC()), Set::of, Duration.ZERO);
  }

  private static StoreCheck.Result check(
      PosternConfig config, SegmentFacts facts, boolean repair, Consumer<Finding> each)
      throws StartException, IOException {
    try (Stores stores = Stores.open(config.vault(), config.node().data())) {
      return StoreCheck.run(
          config.vault(),
          stores.list(),
          facts,
          Optional.of(stores.keys()),
          repair,
          Clock.systemUTC(),
          each);
    }
  }
}
