package net.postern.ldap;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.tenant.DirectorySnapshot;
import net.postern.tenant.DirectorySource;
import net.postern.tenant.DirectorySources;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.TenantException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings customers' addresses up to date with their directories. Every node calls {@link #runDue};
 * a customer is one node's at a time. A directory that cannot be read changes nothing.
 */
public final class LdapSync {
  private static final Logger LOG = LoggerFactory.getLogger(LdapSync.class);

  /** Customers in one turn; the rest is due at the next. */
  private static final int MAX_TURN = 100;

  /** What is said of one sync: so many lines. */
  private static final int MAX_NOTES = 20;

  private final DirectorySources sources;
  private final DirectorySync sync;
  private final Events events;

  public LdapSync(DirectorySources sources, DirectorySync sync, Events events) {
    this.sources = sources;
    this.sync = sync;
    this.events = events;
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
    try (LdapReader reader = new LdapReader(source)) {
      DirectorySnapshot snapshot = reader.read();
      return new Looked(snapshot, reader.notes());
    }
  }

  /** Syncs every customer whose turn it is. What fails is noted with the customer. */
  public void runDue() {
    for (int i = 0; i < MAX_TURN; i++) {
      Optional<CustomerId> due = sources.lease();
      if (due.isEmpty()) {
        return;
      }
      try {
        DirectorySync.Applied _ = run(due.get(), false);
      } catch (TenantException e) {
        LOG.debug("not applied, as the status says", e);
      }
    }
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
      looked = look(source);
      applied = sync.apply(source, looked.snapshot(), acceptShrink);
    } catch (LdapFailure e) {
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
}
