package net.postern.node;

import java.io.IOException;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.blob.ObjectStore;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.db.DatabaseException;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.keys.KeyErasedException;
import net.postern.keys.KeyLabels;
import net.postern.keys.KeyRing;
import net.postern.ledger.Balance;
import net.postern.ledger.Journal;
import net.postern.ledger.JournalEntry;
import net.postern.ledger.LedgerRebuild;
import net.postern.ledger.MessageRecord;
import net.postern.ledger.RecordJson;
import net.postern.tenant.Settings;
import net.postern.vault.ErasedException;
import net.postern.vault.Place;
import net.postern.vault.SegmentVault;
import net.postern.vault.StoreWalk;
import org.jdbi.v3.core.JdbiException;

/**
 * Fills an empty database from one store and the master key: settings, then the journal of
 * outcomes, then every message with its deliveries. Settings and journal of the other stores are
 * read as well, when these answer: the next start enters their mail, and must not deliver again
 * what only their journal says was delivered. The node's upkeep fills them after the next start,
 * and its reconciler enters what they have more.
 *
 * <p>Every step may be repeated, and a run that was interrupted goes on: segments that were entered
 * are noted. Until a rebuild has finished no node starts on the database, for it would deliver
 * again what the journal says was delivered.
 *
 * <p>Threads: one for each processor walks segments, up to {@link #MAX_THREADS}; each holds {@link
 * #BATCH} records and a window of a segment.
 */
public final class Rebuild {
  private static final int MAX_THREADS = 4;

  /** Messages that are entered in one transaction. */
  private static final int BATCH = 1_000;

  /** How often a segment is read when the store fails over it. */
  private static final int ATTEMPTS = 3;

  private static final long PROGRESS_NANOS = 5_000_000_000L;

  /** Most lines about single things that went wrong; the rest is counted. */
  private static final int MAX_COMPLAINTS = 50;

  private final ObjectStore from;
  private final Stores stores;
  private final Database database;
  private final KeyRing keys;
  private final Settings settings;
  private final LedgerRebuild ledger;
  private final int threads;
  private final PrintWriter out;

  private final AtomicLong messages = new AtomicLong();
  private final AtomicInteger walked = new AtomicInteger();
  private final AtomicInteger damaged = new AtomicInteger();
  private final AtomicInteger torn = new AtomicInteger();
  private final AtomicLong erased = new AtomicLong();
  private final AtomicLong unreadable = new AtomicLong();
  private final AtomicInteger complaints = new AtomicInteger();
  private volatile boolean lacking;

  /**
   * What a rebuild came to.
   *
   * @param messages frames that this run walked over
   * @param damaged places in segments where something is that is no whole frame
   * @param erased messages whose every mailbox key is gone: nobody can read them any more
   * @param unreadable messages that could not be read for another reason
   * @param whole whether everything that the store should have came back
   */
  public record Report(
      List<Balance> customers,
      long messages,
      int damaged,
      long erased,
      long unreadable,
      boolean whole) {}

  private Rebuild(
      ObjectStore from, Stores stores, Database database, int threads, PrintWriter out) {
    this.from = from;
    this.stores = stores;
    this.database = database;
    this.keys = stores.keys();
    this.settings = new Settings(database, stores.replicas(), keys, List.of());
    this.ledger = new LedgerRebuild(database);
    this.threads = threads;
    this.out = out;
  }

  /**
   * Rebuilds.
   *
   * @param from the store's name, such as store-2, or its directory
   * @param out what it does, for people
   * @throws StartException when it cannot be done here; the message says why and what to do
   */
  public static Report run(PosternConfig config, String from, PrintWriter out)
      throws StartException {
    try (DataDirectory data = DataDirectory.claim(config.node().data())) {
      Stores stores = Stores.open(config.vault(), data.root());
      ObjectStore store = stores.find(from);
      if (!hasContent(store)) {
        throw new StartException(
            "%s has neither mail nor settings: nothing can be rebuilt from it".formatted(store));
      }
      try (Database database = Database.open(config.database(), data.root())) {
        int threads =
            Math.clamp(
                Math.min(
                    Runtime.getRuntime().availableProcessors(), config.database().connections()),
                1,
                MAX_THREADS);
        return new Rebuild(store, stores, database, threads, out).run();
      }
    } catch (DatabaseException | IOException | JdbiException | DatabaseLostException e) {
      throw new StartException(
          "the rebuild stopped: %s; run it again to go on".formatted(e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("the rebuild was interrupted; run it again to go on", e);
    }
  }

  /**
   * Checks that a node may start: the database is neither half rebuilt nor lost. A node on an empty
   * database beside full stores would enter all mail as not yet delivered, and deliver it again.
   *
   * @throws StartException when it may not
   */
  static void requireWhole(Database database, Settings settings, Stores stores)
      throws StartException, IOException {
    LedgerRebuild ledger = new LedgerRebuild(database);
    Optional<String> unfinished = ledger.unfinished();
    if (unfinished.isPresent()) {
      throw new StartException(
          "a rebuild of the database was interrupted: finish it with 'postern vault rebuild --from %s'"
              .formatted(unfinished.get()));
    }
    if (!ledger.isEmpty() || !settings.isEmpty()) {
      ledger.noteUse();
      return;
    }
    for (ObjectStore store : stores.list()) {
      if (hasContent(store)) {
        throw new StartException(
            "the database is empty, but %s has mail: if the database was lost, make it again with 'postern vault rebuild --from %s'; if it is the wrong one, correct the configuration"
                .formatted(store, store.name()));
      }
    }
  }

  private static boolean hasContent(ObjectStore store) throws IOException {
    return !Settings.listed(store).isEmpty() || !StoreWalk.segments(store).isEmpty();
  }

  private Report run() throws StartException, IOException, InterruptedException {
    Optional<LedgerRebuild.End> ended = ledger.unused();
    if (ended.isPresent() && ended.get().store().equals(from.name())) {
      out.printf("the rebuild from %s is finished already; nothing is left to do%n", from.name());
      return report(ended.get(), Balance.all(database));
    }
    begin();
    settings();
    // Keys need no step: they are read from the stores, and the database takes its copies when the
    // node reads them.
    journal();
    messages();
    return finish(ledger.orphans());
  }

  private void begin() throws StartException {
    Optional<String> unfinished = ledger.unfinished();
    if (unfinished.isPresent()) {
      if (!unfinished.get().equals(from.name())) {
        throw new StartException(
            "a rebuild from %s was interrupted: go on with it, or begin anew with an empty database"
                .formatted(unfinished.get()));
      }
      out.println("going on with the rebuild that was interrupted");
      return;
    }
    if (!ledger.isEmpty() || !settings.isEmpty()) {
      throw new StartException(
          "the database is not empty; a rebuild needs an empty one: set database.url to another, or, for the bundled one, move the directory postgresql below node.data away");
    }
    ledger.begin(from.name());
  }

  // ---- settings ----

  private void settings() throws IOException {
    Set<CustomerId> listed = new LinkedHashSet<>(Settings.listed(from));
    for (ObjectStore other : others()) {
      try {
        listed.addAll(Settings.listed(other));
      } catch (IOException e) {
        out.printf("%s is left out: %s%n", other, e.getMessage());
      }
    }
    Set<CustomerId> restored = new HashSet<>();
    for (CustomerId customer : listed) {
      if (restore(customer)) {
        restored.add(customer);
      }
    }
    out.println("settings of " + restored.size() + " customers are back");
    fromKeys(restored);
  }

  private List<ObjectStore> others() {
    return stores.list().stream().filter(each -> !each.name().equals(from.name())).toList();
  }

  private record Copy(ObjectStore store, long generation) {}

  // From the store with the highest generation; from one with a lower when that cannot be read.
  private boolean restore(CustomerId customer) {
    List<Copy> copies = new ArrayList<>();
    copies.add(new Copy(from, Settings.generation(from, customer)));
    for (ObjectStore other : others()) {
      long generation = Settings.generation(other, customer);
      if (generation > 0) {
        copies.add(new Copy(other, generation));
      }
    }
    // Of two alike the one that was asked for.
    copies.sort(Comparator.comparingLong(Copy::generation).reversed());
    long highest = copies.getFirst().generation();
    for (Copy copy : copies) {
      try {
        Map<String, Integer> rows = settings.restore(copy.store(), customer, highest);
        rows.forEach(
            (part, count) -> {
              if (count < 0) {
                complain(
                    "settings of customer %s have a part \"%s\" that this version does not know; it is left out"
                        .formatted(customer, part));
              }
            });
        return true;
      } catch (KeyErasedException e) {
        out.printf("customer %s was erased%n", customer);
        return false;
      } catch (IOException e) {
        complain("settings of customer %s: %s".formatted(customer, e.getMessage()));
      }
    }
    return false;
  }

  // Customers of which the store has keys only: older data, or damaged settings.
  private void fromKeys(Set<CustomerId> restored) throws IOException {
    KeyLabels.All labels = keys.labels(from);
    labels.unreadable().forEach(each -> complain("key record " + each));
    for (KeyLabels.Customer customer : labels.customers()) {
      List<KeyLabels.Mailbox> mailboxes =
          labels.mailboxes().stream()
              .filter(each -> each.customer().equals(customer.id()))
              .toList();
      // A key without a mailbox is what a customer left that was never made.
      if (!restored.contains(customer.id()) && !mailboxes.isEmpty()) {
        int addresses = settings.restore(customer, mailboxes);
        complain(
            "customer \"%s\" has no settings in this store: %d addresses are back by the labels of its keys; aliases, routes, servers, thresholds and legal holds are lacking and have to be set again"
                .formatted(customer.name(), addresses));
      }
    }
  }

  // ---- the journal ----

  private void journal() throws IOException {
    Set<String> done = new HashSet<>();
    Journal.Read own = Journal.read(from, keys, done, this::load);
    long entries = own.entries();
    for (ObjectStore other : others()) {
      try {
        entries += Journal.read(other, keys, done, this::load).entries();
      } catch (IOException e) {
        out.printf("the journal of %s is left out: %s%n", other, e.getMessage());
      }
    }
    for (Journal.Damaged each : own.damaged()) {
      // Unless another store had it whole.
      if (!done.contains(each.object())) {
        complain(
            "journal object %s: %s; what it says is delivered again"
                .formatted(each.object(), each.why()));
      }
    }
    out.printf(Locale.ROOT, "journal: %d entries in %d objects%n", entries, done.size());
    if (done.isEmpty()) {
      out.println("there is no journal: all mail that was not held waits for delivery");
    }
    out.flush();
  }

  private void load(List<JournalEntry> entries) {
    try {
      ledger.load(entries);
    } catch (SQLException e) {
      // Not the fault of a store that can be left out.
      throw new DatabaseLostException(e);
    }
  }

  private static final class DatabaseLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DatabaseLostException(SQLException cause) {
      super("the journal cannot be loaded: " + cause.getMessage(), cause);
    }
  }

  // ---- messages ----

  private void messages() throws IOException, InterruptedException {
    List<UUID> all = StoreWalk.segments(from);
    Set<UUID> done = ledger.walked();
    Queue<UUID> queue = new ConcurrentLinkedQueue<>(all);
    queue.removeIf(done::contains);
    walked.set(all.size() - queue.size());
    Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      workers.add(
          Thread.ofPlatform()
              .name("rebuild-" + i)
              .daemon()
              .start(
                  () -> {
                    try {
                      work(queue, failures);
                    } catch (Exception e) {
                      failures.add(e);
                    }
                  }));
    }
    long start = System.nanoTime();
    for (Thread worker : workers) {
      while (!worker.join(java.time.Duration.ofNanos(PROGRESS_NANOS))) {
        progress(start, all.size());
      }
    }
    progress(start, all.size());
    for (Exception each : failures) {
      throw new IOException(String.valueOf(each.getMessage()), each);
    }
  }

  private void progress(long start, int total) {
    double seconds = Math.max(1e-3, (System.nanoTime() - start) / 1e9);
    out.printf(
        Locale.ROOT,
        "%d of %d segments, %d messages, %.0f a second%n",
        walked.get(),
        total,
        messages.get(),
        messages.get() / seconds);
    out.flush();
  }

  private void work(Queue<UUID> queue, Queue<Exception> failures) throws IOException {
    StoreWalk walk = new StoreWalk(from, keys);
    List<MessageRecord> batch = new ArrayList<>();
    for (UUID segment = queue.poll(); segment != null; segment = queue.poll()) {
      StoreWalk.Found found = walk(walk, segment, batch, failures);
      enter(batch);
      messages.addAndGet(found.frames());
      if (found.damaged() > 0) {
        damaged.addAndGet(found.damaged());
        complain("segment %s is damaged in %d places".formatted(segment, found.damaged()));
      }
      torn.addAndGet(found.torn() ? 1 : 0);
      // Not recorded: the other stores may have more of it. The node looks when it runs.
      ledger.noteWalked(segment);
      walked.incrementAndGet();
    }
  }

  // A store that fails for a moment must not be taken for one whose frames are damaged.
  private StoreWalk.Found walk(
      StoreWalk walk, UUID segment, List<MessageRecord> batch, Queue<Exception> failures)
      throws IOException {
    for (int attempt = 1; true; attempt++) {
      StoreWalk.Found found =
          walk.walk(
              segment,
              (place, id, content) -> {
                if (!failures.isEmpty()) {
                  throw new IOException("another segment failed");
                }
                batch.addAll(records(place, id, content));
                if (batch.size() >= BATCH) {
                  enter(batch);
                }
              });
      if (found.failure().isEmpty()) {
        return found;
      }
      if (attempt == ATTEMPTS) {
        complain(
            "segment %s cannot be read everywhere: %s"
                .formatted(segment, found.failure().get().getMessage()));
        return found;
      }
    }
  }

  private void enter(List<MessageRecord> batch) throws IOException {
    if (batch.isEmpty()) {
      return;
    }
    try {
      ledger.enter(batch);
      batch.clear();
    } catch (SQLException e) {
      throw new IOException("messages cannot be entered: " + e.getMessage(), e);
    }
  }

  private List<MessageRecord> records(Place place, MessageId id, SegmentVault.Content content) {
    try {
      return RecordJson.decode(content.read().meta(), place);
    } catch (ErasedException e) {
      // Not damaged, but gone.
      erased.incrementAndGet();
    } catch (IOException e) {
      unreadable.incrementAndGet();
      complain("message %s cannot be read: %s".formatted(id, e.getMessage()));
    } catch (IllegalArgumentException e) {
      unreadable.incrementAndGet();
      complain("message %s cannot be entered: %s".formatted(id, e.getMessage()));
    }
    return List.of();
  }

  // ---- what came of it ----

  private void complain(String line) {
    lacking = true;
    int number = complaints.incrementAndGet();
    if (number <= MAX_COMPLAINTS) {
      out.println(line);
    } else if (number == MAX_COMPLAINTS + 1) {
      out.println("further lines like these are left out");
    }
  }

  private Report finish(long orphans) {
    if (torn.get() > 0) {
      out.printf(
          "%d segments end in the middle of a frame, as a crash leaves them: nobody was told that it was kept%n",
          torn.get());
    }
    if (erased.get() > 0) {
      out.printf("%d messages have no key left: they were erased%n", erased.get());
    }
    if (orphans > 0) {
      out.printf(
          "%d deliveries of the journal have no message in this store: compacted away, or damaged%n",
          orphans);
    }
    List<Balance> customers = Balance.all(database);
    boolean balanced = customers.stream().allMatch(each -> each.difference() == 0);
    LedgerRebuild.End end =
        new LedgerRebuild.End(
            from.name(),
            damaged.get(),
            erased.get(),
            unreadable.get(),
            balanced && !lacking && damaged.get() == 0 && unreadable.get() == 0);
    ledger.finish(end);
    return report(end, customers);
  }

  private Report report(LedgerRebuild.End end, List<Balance> customers) {
    return new Report(
        customers, messages.get(), end.damaged(), end.erased(), end.unreadable(), end.whole());
  }
}
