package net.postern.tenant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import org.jdbi.v3.core.JdbiException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link RecipientPolicies} from the database, through a bounded cache: an answer is fresh for
 * {@code node.directory_cache}; while the database is away an older one is used for up to an hour.
 */
public final class DatabaseRecipientPolicies implements RecipientPolicies {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseRecipientPolicies.class);

  /** Entries and choices in memory; an owner without any counts as one. */
  private static final long CACHED = 500_000;

  private static final Duration STALE_LIMIT = Duration.ofHours(1);

  /** After a failure the database is left alone for this long: each question waits seconds. */
  private static final long RETRY_NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * Whose it is.
   *
   * @param mailbox empty for the customer's own
   */
  private record Key(CustomerId customer, Optional<MailboxId> mailbox) {}

  private record Loaded(RecipientPolicy.Owner owner, long atNanos) {}

  private final Database database;
  private final long freshNanos;
  private volatile long awayUntil = System.nanoTime();
  private final Cache<Key, Loaded> cache =
      Caffeine.newBuilder()
          .maximumWeight(CACHED)
          .weigher((Key key, Loaded value) -> weight(value.owner()))
          .expireAfterWrite(STALE_LIMIT)
          .build();

  /**
   * @param fresh how long an answer is used without asking again
   */
  public DatabaseRecipientPolicies(Database database, Duration fresh) {
    this.database = database;
    this.freshNanos = fresh.toNanos();
  }

  private static int weight(RecipientPolicy.Owner owner) {
    return 1 + owner.senders().size() + owner.choices().size();
  }

  @Override
  public RecipientPolicy of(CustomerId customer, Optional<MailboxId> mailbox) {
    Key whole = new Key(customer, Optional.empty());
    Key user = new Key(customer, mailbox);
    return policy(owners(mailbox.isEmpty() ? Set.of(whole) : Set.of(whole, user)), whole, user);
  }

  @Override
  public List<RecipientPolicy> of(List<Recipient> recipients) {
    Set<Key> keys = new LinkedHashSet<>();
    for (Recipient each : recipients) {
      keys.add(new Key(each.customer(), Optional.empty()));
      keys.add(new Key(each.customer(), Optional.of(each.mailbox())));
    }
    Map<Key, RecipientPolicy.Owner> owners = owners(keys);
    return recipients.stream()
        .map(
            each ->
                policy(
                    owners,
                    new Key(each.customer(), Optional.empty()),
                    new Key(each.customer(), Optional.of(each.mailbox()))))
        .toList();
  }

  private static RecipientPolicy policy(
      Map<Key, RecipientPolicy.Owner> owners, Key whole, Key user) {
    RecipientPolicy.Owner ofCustomer = owners.get(whole);
    RecipientPolicy.Owner ofUser =
        user.mailbox().isEmpty() ? RecipientPolicy.Owner.NONE : owners.get(user);
    return ofCustomer != null && ofUser != null
        ? new RecipientPolicy(true, ofUser, ofCustomer)
        : RecipientPolicy.UNKNOWN;
  }

  // Without those that cannot be told now.
  private Map<Key, RecipientPolicy.Owner> owners(Set<Key> keys) {
    long now = System.nanoTime();
    boolean away = now - awayUntil < 0;
    Map<Key, RecipientPolicy.Owner> owners = new HashMap<>();
    Set<Key> missing = new LinkedHashSet<>();
    for (Key key : keys) {
      Loaded old = cache.getIfPresent(key);
      if (old != null && (away || now - old.atNanos() < freshNanos)) {
        owners.put(key, old.owner());
      } else {
        missing.add(key);
      }
    }
    if (away || missing.isEmpty()) {
      return owners;
    }
    try {
      load(missing)
          .forEach(
              (key, fresh) -> {
                cache.put(key, new Loaded(fresh, now));
                owners.put(key, fresh);
              });
    } catch (JdbiException e) {
      awayUntil = System.nanoTime() + RETRY_NANOS;
      LOG.warn("lists of customers and users cannot be read: {}", e.toString());
      for (Key key : missing) {
        Loaded old = cache.getIfPresent(key);
        if (old != null) {
          owners.put(key, old.owner());
        }
      }
    }
    return owners;
  }

  private record Row(Key key, boolean choice, String name, String value) {}

  /** What one said, as it comes row by row. */
  private static final class Said {
    final List<SenderList.Line> lines = new ArrayList<>();
    final Map<String, String> choices = new HashMap<>();

    RecipientPolicy.Owner owner() {
      return lines.isEmpty() && choices.isEmpty()
          ? RecipientPolicy.Owner.NONE
          : new RecipientPolicy.Owner(
              lines.isEmpty() ? SenderList.EMPTY : new SenderList(lines), choices);
    }
  }

  // One query for all. Users and customers apart, so that each finds its rows by the index.
  private Map<Key, RecipientPolicy.Owner> load(Set<Key> keys) {
    List<String> owners = new ArrayList<>();
    List<String> mailboxes = new ArrayList<>();
    List<String> customers = new ArrayList<>();
    Map<Key, Said> said = new HashMap<>();
    for (Key key : keys) {
      said.put(key, new Said());
      if (key.mailbox().isPresent()) {
        owners.add(key.customer().toString());
        mailboxes.add(key.mailbox().get().toString());
      } else {
        customers.add(key.customer().toString());
      }
    }
    String[] ofUsers = owners.toArray(String[]::new);
    String[] users = mailboxes.toArray(String[]::new);
    String[] wholes = customers.toArray(String[]::new);
    List<Row> rows =
        database.rows(
            """
            select e.customer_id, e.mailbox_id, false choice, e.entry as name, e.kind as value
            from unnest(?::uuid[], ?::uuid[]) k (customer, mailbox)
            join sender_entry e on e.customer_id = k.customer and e.mailbox_id = k.mailbox
            union all
            select customer_id, null, false, entry, kind from sender_entry
            where customer_id = any(?::uuid[]) and mailbox_id is null
            union all
            select c.customer_id, c.mailbox_id, true, c.name, c.value
            from unnest(?::uuid[], ?::uuid[]) k (customer, mailbox)
            join check_choice c on c.customer_id = k.customer and c.mailbox_id = k.mailbox
            union all
            select customer_id, null, true, name, value from check_choice
            where customer_id = any(?::uuid[]) and mailbox_id is null""",
            row ->
                new Row(
                    new Key(
                        new CustomerId(row.getObject("customer_id", UUID.class)),
                        Optional.ofNullable(row.getObject("mailbox_id", UUID.class))
                            .map(MailboxId::new)),
                    row.getBoolean("choice"),
                    row.getString("name"),
                    row.getString("value")),
            ofUsers,
            users,
            wholes,
            ofUsers,
            users,
            wholes);
    for (Row row : rows) {
      Said of = said.computeIfAbsent(row.key(), key -> new Said());
      if (row.choice()) {
        of.choices.put(row.name(), row.value());
      } else {
        SenderEntry.parse(row.name())
            .ifPresent(
                entry ->
                    of.lines.add(
                        new SenderList.Line(
                            entry, SenderList.Kind.valueOf(row.value().toUpperCase(Locale.ROOT)))));
      }
    }
    Map<Key, RecipientPolicy.Owner> loaded = new HashMap<>();
    said.forEach((key, of) -> loaded.put(key, of.owner()));
    return loaded;
  }
}
