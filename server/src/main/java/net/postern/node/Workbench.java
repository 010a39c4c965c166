package net.postern.node;

import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import net.postern.callout.CalloutReport;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.DatabaseException;
import net.postern.events.Events;
import net.postern.keys.KeyRing;
import net.postern.ldap.LdapSync;
import net.postern.ledger.ErasedMail;
import net.postern.ledger.Journal;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.SegmentRetention;
import net.postern.observe.Pseudonyms;
import net.postern.quarantine.Quarantine;
import net.postern.source.SourceDesk;
import net.postern.tenant.AccountAdmin;
import net.postern.tenant.DatabaseKeyShelf;
import net.postern.tenant.DirectorySources;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.Erasures;
import net.postern.tenant.Groups;
import net.postern.tenant.LegalHolds;
import net.postern.tenant.SenderLists;
import net.postern.tenant.Settings;
import net.postern.tenant.Tenants;
import net.postern.vault.Compactor;
import net.postern.vault.StoreChoice;
import net.postern.vault.StoreReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the admin commands work with: the database, the keys and the stores of an installation,
 * beside the node that runs on it. When none runs, the bundled database is started for the time of
 * the command.
 */
public final class Workbench implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Workbench.class);

  private final Optional<DataDirectory> claimed;
  private final Database database;
  private final Stores stores;
  private final KeyRing keys;
  private final Tenants tenants;
  private final Groups groups;
  private final DirectorySources directories;
  private final LdapSync ldap;
  private final CalloutReport callouts;
  private final AccountAdmin accounts;
  private final PosternConfig config;
  private final SenderLists senderLists;
  private final MessageQueries messages;
  private final Quarantine quarantine;
  private final LegalHolds holds;
  private final Erasing erasing;
  private final Settings settings;
  private final Journal journal;
  private final Compactor compactor;

  private Workbench(
      PosternConfig config, Optional<DataDirectory> claimed, Database database, Stores stores) {
    this.claimed = claimed;
    this.database = database;
    this.stores = stores;
    this.keys = stores.keys(new DatabaseKeyShelf(database));
    this.tenants = new Tenants(database, keys);
    this.accounts = new AccountAdmin(database, keys);
    this.config = config;
    this.senderLists = new SenderLists(database);
    this.settings = new Settings(database, stores.replicas(), keys, List.of());
    this.journal = new Journal(database, stores.replicas(), keys);
    this.messages = new MessageQueries(database);
    this.holds = new LegalHolds(database, Clock.systemUTC());
    Events nobody = event -> {};
    this.groups = new Groups(database, tenants);
    this.directories = new DirectorySources(database, keys);
    this.ldap = new LdapSync(directories, new DirectorySync(database, tenants), nobody);
    this.callouts = new CalloutReport(database);
    Erasures erasures = new Erasures(database, keys, Clock.systemUTC(), PersonParts.ALL);
    this.erasing = new Erasing(erasures, new ErasedMail(database), keys, nobody);
    SegmentRetention retention =
        new SegmentRetention(
            database, holds, erasures::erasedMailboxes, config.vault().keepFinished());
    this.compactor =
        new Compactor(
            config.vault(),
            Node.grace(config),
            StoreChoice.of(stores.list()),
            retention,
            keys,
            new Compactor.Hooks(
                () -> {},
                () -> {},
                (segment, store) -> false,
                () -> retention.ahead(Clock.systemUTC())),
            Clock.systemUTC());
    this.quarantine = new Quarantine(messages, new StoreReader(stores::list, keys), nobody);
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
      return new Workbench(config, claimed, database, stores);
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

  public KeyRing keys() {
    return keys;
  }

  public Tenants tenants() {
    return tenants;
  }

  public Groups groups() {
    return groups;
  }

  /** Where customers' users come from. */
  public DirectorySources directories() {
    return directories;
  }

  /** Syncs now, in turn with the nodes. */
  public LdapSync ldap() {
    return ldap;
  }

  /** What is known of the servers that are asked for addresses. */
  public CalloutReport callouts() {
    return callouts;
  }

  /** Passwords, limits and certificates. */
  public AccountAdmin accounts() {
    return accounts;
  }

  public PosternConfig config() {
    return config;
  }

  /** Safelists, blocklists, and choices of checks. */
  public SenderLists senderLists() {
    return senderLists;
  }

  public MessageQueries messages() {
    return messages;
  }

  public Quarantine quarantine() {
    return quarantine;
  }

  /**
   * The form of addresses in the log.
   *
   * @throws IOException when the system's key cannot be had
   */
  public Pseudonyms pseudonyms() throws IOException {
    return LogNames.of(keys);
  }

  public LegalHolds holds() {
    return holds;
  }

  /** The internal block list. */
  public SourceDesk sources() {
    return new SourceDesk(database, Clock.systemUTC());
  }

  /** Makes passes of its own, in turn with a running node's. */
  public Compactor compactor() {
    return compactor;
  }

  public Erasing erasing() {
    return erasing;
  }

  /**
   * Has what was changed here written to the stores, and ends. What cannot be written stays marked:
   * the node writes it.
   */
  @Override
  public void close() {
    try {
      settings.writeChanged();
      if (claimed.isPresent()) {
        journal.flush();
      }
    } catch (IOException e) {
      LOG.warn("the change is made, but not yet in the stores: {}", e.getMessage());
    }
    stores.close();
    database.close();
    claimed.ifPresent(DataDirectory::close);
  }
}
