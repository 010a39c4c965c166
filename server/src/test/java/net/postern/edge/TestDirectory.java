package net.postern.edge;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.tenant.Directory;
import net.postern.tenant.Lookup;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;

/**
 * A directory in memory. {@code other.example} is another customer's, with every user. Every local
 * part of example.org that begins with {@code user} exists, and those named below; {@code team},
 * {@code big} and {@code more} are groups; {@code broken.example} is a domain of which nothing can
 * be said now.
 */
final class TestDirectory implements Directory {
  static final CustomerId CUSTOMER = CustomerId.create();
  static final CustomerId OTHER = CustomerId.create();

  /** The mailbox of {@code anna@example.org}. */
  static final MailboxId ANNA = mailbox("anna@example.org");

  private static MailboxId mailbox(String key) {
    return new MailboxId(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)));
  }

  private static final Set<String> NAMED =
      Set.of(
          "anna@example.org", "john doe@example.org", "müller@example.org", "postmaster@mx.test");

  private final Set<InetAddress> registered = ConcurrentHashMap.newKeySet();

  void register(InetAddress client) {
    registered.add(client);
  }

  void unregister(InetAddress client) {
    registered.remove(client);
  }

  @Override
  public RecipientLookup lookup(EmailAddress address) {
    if (address.localPart().equals("explode")) {
      throw new IllegalStateException("a directory that breaks its promise");
    }
    if (address.key().matches("(team|big|more)@example\\.org")) {
      int members = address.key().startsWith("team") ? 3 : 6_000;
      return new RecipientLookup.Group(
          CUSTOMER,
          IntStream.range(0, members)
              .mapToObj(
                  i ->
                      new EmailAddress(
                          "user-of-" + address.localPart().toLowerCase(Locale.ROOT) + i,
                          "example.org"))
              .map(each -> ((RecipientLookup.Found) lookup(each)).recipient())
              .toList(),
          address.key());
    }
    return switch (address.domain()) {
      case "example.org", "mx.test" -> {
        String key = address.key();
        yield NAMED.contains(key) || address.localPart().toLowerCase(Locale.ROOT).startsWith("user")
            ? new RecipientLookup.Found(new Recipient(address, CUSTOMER, mailbox(key)))
            : new RecipientLookup.UnknownUser(CUSTOMER);
      }
      case "other.example" ->
          new RecipientLookup.Found(new Recipient(address, OTHER, mailbox(address.key())));
      case "broken.example" -> new RecipientLookup.Unavailable("the database is away");
      default -> new RecipientLookup.NotOurs();
    };
  }

  /** Whether the servers cannot be looked up. */
  volatile boolean away;

  @Override
  public Lookup<Optional<CustomerId>> registeredServer(InetAddress client) {
    return away
        ? new Lookup.Unavailable<>("away on purpose")
        : Lookup.of(registered.contains(client) ? Optional.of(CUSTOMER) : Optional.empty());
  }
}
