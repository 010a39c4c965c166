package net.postern.ldap;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.tenant.DirectorySnapshot;
import net.postern.tenant.DirectorySource;
import net.postern.tenant.DirectorySources;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.TenantException;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings customers' addresses up to date with their directories. Every node calls {@link #runDue};
 * a customer is one node's at a time. A directory that cannot be read changes nothing.
 *
 * <p>Threads: some customers beside each other, each on a virtual thread and with a limit of time
 * of its own, so that one directory that is slow holds up no other customer.
 */
public final class LdapSync implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LdapSync.class);

  /** Customers that a node looks after at one time. */
  static final int AT_ONCE = 8;

  /** Customers that one thread looks after in a turn; the rest is due at the next. */
  private static final int MAX_TURN = 100;

  /** For reading one directory: less than the lease of a customer. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private static final Duration STOPPING = Duration.ofSeconds(5);

  /** What is said of one sync: so many lines. */
  private static final int MAX_NOTES = 20;

  private final DirectorySources sources;
  private final DirectorySync sync;
  private final Events events;
  private final Duration limit;
  private final Semaphore permits = new Semaphore(AT_ONCE);
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("ldap-", 0).factory());

  public LdapSync(DirectorySources sources, DirectorySync sync, Events events) {
    this(sources, sync, events, LIMIT);
  }

  /**
   * @param limit for reading one directory
   */
  LdapSync(DirectorySources sources, DirectorySync sync, Events events, Duration limit) {
    this.sources = sources;
    this.sync = sync;
    this.events = events;
    this.limit = limit;
  }

  /**
   * What a directory has, for {@code admin ldap test}.
   *
   * @param notes what was passed over
   */
  public record Looked(DirectorySnapshot snapshot, List<String> notes) {
    public Looked {
      notes = List.copyOf(notes);
    }
  }

  /** Reads a directory and changes nothing. */
  public static Looked look(DirectorySource source) throws LdapFailure {
    return look(source, LIMIT);
  }

  private static Looked look(DirectorySource source, Duration limit) throws LdapFailure {
    try (LdapReader reader = new LdapReader(source, limit)) {
      DirectorySnapshot snapshot = reader.read();
      return new Looked(snapshot, reader.notes());
    }
  }

  /**
   * Begins to sync every customer whose turn it is, as many at a time as there is room for, and
   * does not wait for them. What fails is noted with the customer.
   */
  public void runDue() {
    boolean begun = true;
    while (begun && permits.tryAcquire()) {
      begun = begin();
    }
  }

  // The permit is given back by whoever has the customer in the end, or here.
  private boolean begin() {
    boolean begun = false;
    try {
      Optional<CustomerId> due = sources.lease();
      if (due.isPresent()) {
        threads.execute(() -> runOneByOne(due.get()));
        begun = true;
      }
    } catch (RejectedExecutionException e) {
      LOG.debug("this node is stopping; another one takes the customer when its lease is over", e);
    } finally {
      if (!begun) {
        permits.release();
      }
    }
    return begun;
  }

  private void runOneByOne(CustomerId first) {
    try {
      Optional<CustomerId> due = Optional.of(first);
      for (int i = 0; i < MAX_TURN && due.isPresent(); i++) {
        try {
          DirectorySync.Applied _ = run(due.get(), false);
        } catch (TenantException e) {
          LOG.debug("not applied, as the status says", e);
        }
        due = threads.isShutdown() ? Optional.empty() : sources.lease();
      }
    } catch (JdbiException e) {
      LOG.warn("directories are not synced while the database is away: {}", e.toString());
    } catch (RuntimeException e) {
      LOG.error("a sync of a directory failed", e);
    } finally {
      permits.release();
    }
  }

  /** Whether nothing is being synced that {@link #runDue} began. */
  boolean isIdle() {
    return permits.availablePermits() == AT_ONCE;
  }

  /**
   * Syncs one customer now.
   *
   * @param acceptShrink whether a person has said that so many entries are really gone
   * @throws TenantException when it was not applied; the message says why, as the status does
   */
  public DirectorySync.Applied run(CustomerId customer, boolean acceptShrink)
      throws TenantException {
    String before = sources.status(customer).map(DirectorySources.Status::trouble).orElse("");
    DirectorySource source;
    Looked looked;
    DirectorySync.Applied applied;
    try {
      source =
          sources
              .find(customer)
              .orElseThrow(() -> new TenantException("the customer has no directory"));
      looked = look(source, limit);
      applied = sync.apply(source, looked.snapshot(), acceptShrink);
    } catch (LdapFailure e) {
      if (threads.isShutdown()) {
        throw new TenantException("it was broken off, since this node is stopping", e);
      }
      failed(customer, before, String.valueOf(e.getMessage()));
      throw new TenantException("the directory cannot be read: " + e.getMessage(), e);
    } catch (TenantException e) {
      failed(customer, before, String.valueOf(e.getMessage()));
      throw e;
    }
    List<String> notes = new ArrayList<>(applied.conflicts());
    notes.addAll(looked.notes());
    sources.applied(source, applied.users(), applied.groups(), text(notes));
    if (!before.isEmpty()) {
      notice(customer, true, "it is applied again");
    }
    return applied;
  }

  private void failed(CustomerId customer, String before, String trouble) {
    sources.failed(customer, trouble);
    if (before.isEmpty()) {
      notice(customer, false, trouble);
    }
  }

  private void notice(CustomerId customer, boolean well, String detail) {
    events.emit(
        new MailEvent.DirectoryNotice(
            MailEvent.DirectoryMatter.LDAP, customer, "ldap", well, detail));
  }

  private static String text(List<String> notes) {
    if (notes.size() <= MAX_NOTES) {
      return String.join("\n", notes);
    }
    return String.join("\n", notes.subList(0, MAX_NOTES))
        + "\nand "
        + (notes.size() - MAX_NOTES)
        + " more";
  }

  /** Breaks off what is being read; nothing of it is applied. */
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      if (!threads.awaitTermination(STOPPING.toMillis(), TimeUnit.MILLISECONDS)) {
        LOG.info("a directory is still being read; it is not waited for");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
