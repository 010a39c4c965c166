package net.postern.tenant;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
    Optional<RecipientPolicy.Owner> whole = owner(new Key(customer, Optional.empty()));
    Optional<RecipientPolicy.Owner> user =
        mailbox.isEmpty()
            ? Optional.of(RecipientPolicy.Owner.NONE)
            : owner(new Key(customer, mailbox));
    return whole.isPresent() && user.isPresent()
        ? new RecipientPolicy(true, user.get(), whole.get())
        : RecipientPolicy.UNKNOWN;
  }

  private Optional<RecipientPolicy.Owner> owner(Key key) {
    Loaded old = cache.getIfPresent(key);
    long now = System.nanoTime();
    if (old != null && (now - old.atNanos() < freshNanos || now - awayUntil < 0)) {
      return Optional.of(old.owner());
    }
    if (now - awayUntil < 0) {
      return Optional.empty();
    }
    try {
      RecipientPolicy.Owner fresh = load(key);
      cache.put(key, new Loaded(fresh, now));
      return Optional.of(fresh);
    } catch (JdbiException e) {
      awayUntil = System.nanoTime() + RETRY_NANOS;
      LOG.warn("the lists of {} cannot be read: {}", key.customer(), e.toString());
      return Optional.ofNullable(old).map(Loaded::owner);
    }
  }

  private record Row(boolean choice, String name, String value) {}

  private RecipientPolicy.Owner load(Key key) {
    List<SenderList.Line> lines = new ArrayList<>();
    Map<String, String> choices = new HashMap<>();
    UUID mailbox = key.mailbox().map(MailboxId::value).orElse(null);
    List<Row> rows =
        database.rows(
            """
            select false choice, entry as name, kind as value from sender_entry
            where customer_id = ? and mailbox_id is not distinct from ?::uuid
            union all
            select true, name, value from check_choice
            where customer_id = ? and mailbox_id is not distinct from ?::uuid""",
            row -> new Row(row.getBoolean("choice"), row.getString("name"), row.getString("value")),
            key.customer().value(),
            mailbox,
            key.customer().value(),
            mailbox);
    for (Row row : rows) {
      if (row.choice()) {
        choices.put(row.name(), row.value());
      } else {
        SenderEntry.parse(row.name())
            .ifPresent(
                entry ->
                    lines.add(
                        new SenderList.Line(
                            entry, SenderList.Kind.valueOf(row.value().toUpperCase(Locale.ROOT)))));
      }
    }
    return new RecipientPolicy.Owner(
        lines.isEmpty() ? SenderList.EMPTY : new SenderList(lines), choices);
  }
}
