package net.postern.node;

import java.util.Optional;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.DatabaseException;
import net.postern.events.Events;
import net.postern.ledger.MessageQueries;
import net.postern.quarantine.Quarantine;
import net.postern.tenant.Tenants;
import net.postern.vault.StoreReader;

/**
 * What the admin commands work with: the database, the keys and the stores of an installation,
 * beside the node that runs on it. When none runs, the bundled database is started for the time of
 * the command.
 */
public final class Workbench implements AutoCloseable {
  private final Optional<DataDirectory> claimed;
  private final Database database;
  private final Stores stores;
  private final Tenants tenants;
  private final MessageQueries messages;
  private final Quarantine quarantine;

  private Workbench(Optional<DataDirectory> claimed, Database database, Stores stores) {
    this.claimed = claimed;
    this.database = database;
    this.stores = stores;
    this.tenants = new Tenants(database, stores.keys());
    this.messages = new MessageQueries(database);
    Events nobody = event -> {};
    this.quarantine =
        new Quarantine(messages, new StoreReader(stores::list, stores.keys()), nobody);
  }

  /**
   * @throws StartException when the installation cannot be reached; the message says why
   */
  public static Workbench open(PosternConfig config) throws StartException {
    Optional<DataDirectory> claimed = Optional.empty();
    Optional<Stores> opened = Optional.empty();
    try {
      Optional<Database> running = Database.beside(config.database(), config.node().data());
      if (running.isEmpty()) {
        claimed = Optional.of(DataDirectory.claim(config.node().data()));
      }
      Stores stores = Stores.open(config.vault(), config.node().data());
      opened = Optional.of(stores);
      Database database =
          running.isPresent()
              ? running.get()
              : Database.open(config.database(), config.node().data());
      return new Workbench(claimed, database, stores);
    } catch (DatabaseException e) {
      opened.ifPresent(Stores::close);
      claimed.ifPresent(DataDirectory::close);
      throw new StartException(String.valueOf(e.getMessage()), e);
    } catch (StartException e) {
      claimed.ifPresent(DataDirectory::close);
      throw e;
    }
  }

  public Database database() {
    return database;
  }

  public Tenants tenants() {
    return tenants;
  }

  public MessageQueries messages() {
    return messages;
  }

  public Quarantine quarantine() {
    return quarantine;
  }

  @Override
  public void close() {
    stores.close();
    database.close();
    claimed.ifPresent(DataDirectory::close);
  }
}
