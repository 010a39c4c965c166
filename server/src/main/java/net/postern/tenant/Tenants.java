package net.postern.tenant;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.config.HostPort;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.KeyRing;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.UnableToExecuteStatementException;

/**
 * Changes to customers, domains, users, aliases and routes; {@link Groups} has groups. Every method
 * checks its input and throws {@link TenantException} with a message for the person who asked.
 */
public final class Tenants {
  /** The local part that every domain takes mail for (RFC 5321 §4.5.1). */
  public static final String POSTMASTER = "postmaster";

  private final Database database;
  private final KeyRing keys;

  public Tenants(Database database, KeyRing keys) {
    this.database = database;
    this.keys = keys;
  }

  /** A customer with counts, for lists. */
  public record Listed(Customer customer, long domains, long users) {}

  /** A domain with its route, for lists. */
  public record DomainListed(
      String name,
      String customer,
      boolean catchAll,
      String route,
      Validation validation,
      boolean acceptUnknown,
      String subaddress) {}

  /** Adds a customer and makes its key. */
  public CustomerId addCustomer(String name) throws TenantException {
    if (name.isBlank() || name.length() > 200) {
      throw new TenantException("a customer's name has 1 to 200 characters");
    }
    if (findCustomer(name).isPresent()) {
      throw new TenantException("there is a customer named \"" + name + "\" already");
    }
    CustomerId id = CustomerId.create();
    try {
      keys.createCustomer(id, name);
    } catch (IOException e) {
      throw new TenantException("the customer's key could not be kept: " + e.getMessage(), e);
    }
    return change(
        "customer \"" + name + "\"",
        handle -> {
          handle.execute("insert into customer (id, name) values (?, ?)", id.value(), name);
          return id;
        });
  }

  public Optional<Customer> findCustomer(String name) {
    return database.row(Customer.SELECT + " where name = ?", Customer::of, name);
  }

  /** All customers, by name. */
  public List<Listed> customers() {
    return database.rows(
        "select c.*, (select count(*) from domain d where d.customer_id = c.id) domains,"
            + " (select count(*) from address a where a.customer_id = c.id) users"
            + " from customer c order by name",
        row -> new Listed(Customer.of(row), row.getLong("domains"), row.getLong("users")));
  }

  /**
   * Sets the scores from which a customer's mail is flagged, held, refused, and the subject's tag.
   */
  public void setPolicy(
      Customer customer, double flag, double hold, double refuse, String subjectTag)
      throws TenantException {
    if (!(flag <= hold && hold <= refuse)) {
      throw new TenantException(
          "scores must ascend: flag %s, hold %s, refuse %s".formatted(flag, hold, refuse));
    }
    if (subjectTag.chars().anyMatch(c -> c < 0x20 || c > 0x7e) || subjectTag.length() > 40) {
      throw new TenantException("a subject tag has at most 40 printable ASCII characters");
    }
    change(
        "the policy",
        handle ->
            handle.execute(
                "update customer set flag_score = ?, hold_score = ?, refuse_score = ?,"
                    + " subject_tag = ? where id = ?",
                flag,
                hold,
                refuse,
                subjectTag,
                customer.id().value()));
  }

  /** Lets a network of the customer's own servers send. */
  public void addServer(Customer customer, Network network) throws TenantException {
    new AccountAdmin(database, keys).ensureServerMailbox(customer.id());
    change(
        "server " + network,
        handle ->
            handle.execute(
                "insert into registered_server (customer_id, network) values (?, network(?::inet))",
                customer.id().value(),
                network.toString()));
  }

  /**
   * Takes back what {@link #addServer} gave. Sessions under way are not cut off; what they ask for
   * next is refused when the node has noticed.
   */
  public void removeServer(Customer customer, Network network) throws TenantException {
    int removed =
        change(
            "server " + network,
            handle ->
                handle.execute(
                    "delete from registered_server where customer_id = ? and network ="
                        + " network(?::inet)",
                    customer.id().value(),
                    network.toString()));
    if (removed == 0) {
      throw new TenantException(
          "\"%s\" has no server %s; 'admin customer servers' lists those it has"
              .formatted(customer.name(), network));
    }
  }

  /** The networks of a customer's own servers, in order. */
  public List<Network> servers(Customer customer) {
    return database.rows(
        "select network::text network from registered_server where customer_id = ? order by network",
        row -> Network.parse(row.getString("network")).orElseThrow(),
        customer.id().value());
  }

  /**
   * Adds a domain, and a postmaster with a mailbox and key of its own: mail for it is taken from
   * the first moment (RFC 5321 §4.5.1). {@link #addAlias} makes an existing user the postmaster.
   *
   * @param catchAll whether every address of the domain is taken; otherwise only added users are
   * @return the domain in the form in which it is kept
   */
  public String addDomain(Customer customer, String name, boolean catchAll) throws TenantException {
    String domain = domain(name);
    if (findDomain(domain).isPresent()) {
      throw new TenantException("domain " + domain + " exists already");
    }
    EmailAddress postmaster = new EmailAddress(POSTMASTER, domain);
    UUID postmasterMailbox = newMailbox(customer.id(), postmaster.key()).value();
    Optional<MailboxId> all = Optional.empty();
    if (catchAll) {
      all = Optional.of(newMailbox(customer.id(), "*@" + domain));
    }
    Optional<UUID> mailbox = all.map(MailboxId::value);
    return change(
        "domain " + domain,
        handle -> {
          mailbox.ifPresent(id -> insertMailbox(handle, customer.id(), id));
          handle.execute(
              "insert into domain (name, customer_id, catch_all_mailbox, validation)"
                  + " values (?, ?, ?::uuid, ?)",
              domain,
              customer.id().value(),
              mailbox.orElse(null),
              catchAll ? "open" : "listed");
          insertMailbox(handle, customer.id(), postmasterMailbox);
          insertAddress(handle, postmaster, customer.id(), postmasterMailbox, "user");
          return domain;
        });
  }

  /** All domains with their routes, by name. */
  public List<DomainListed> domains() {
    return database.rows(
        "select d.name, c.name customer, d.subaddress, d.callout_unknown, "
            + Validation.SQL
            + " validation, coalesce(r.kind || ' ' || array_to_string(r.targets, ' ') || case when"
            + " r.kind = 'smtp' then ' tls ' || r.tls else '' end, 'none') route"
            + " from domain d join customer c on c.id = d.customer_id"
            + " left join route r on r.domain = d.name order by d.name",
        row ->
            new DomainListed(
                row.getString("name"),
                row.getString("customer"),
                row.getString("validation").equals("open"),
                row.getString("route"),
                Validation.valueOf(row.getString("validation").toUpperCase(Locale.ROOT)),
                row.getString("callout_unknown").equals("accept"),
                row.getString("subaddress")));
  }

  /** Adds a user's address, with a mailbox and key of its own. */
  public MailboxId addUser(EmailAddress address) throws TenantException {
    CustomerId customer = customerOf(address);
    MailboxId mailbox = newMailbox(customer, address.key());
    return change(
        "user " + address,
        handle -> {
          insertMailbox(handle, customer, mailbox.value());
          insertAddress(handle, address, customer, mailbox.value(), "user");
          return mailbox;
        });
  }

  /**
   * Adds an address that the customer's server says exists, with a mailbox and key of its own. When
   * it is there already its mailbox is given.
   */
  public MailboxId addFound(EmailAddress address) throws TenantException {
    Optional<MailboxId> there = findMailbox(address);
    if (there.isPresent()) {
      return there.get();
    }
    CustomerId customer = customerOf(address);
    MailboxId mailbox = newMailbox(customer, address.key());
    return change(
        "address " + address,
        handle -> {
          insertMailbox(handle, customer, mailbox.value());
          // Another node may have found it at the same time: the mailbox that was first counts.
          return new MailboxId(
              handle
                  .createQuery(
                      "insert into address (address, customer_id, mailbox_id, domain, source)"
                          + " values (?, ?, ?, ?, 'callout') on conflict (address)"
                          + " do update set mailbox_id = address.mailbox_id"
                          + " returning mailbox_id")
                  .bind(0, address.key())
                  .bind(1, customer.value())
                  .bind(2, mailbox.value())
                  .bind(3, address.domain())
                  .mapTo(UUID.class)
                  .one());
        });
  }

  /**
   * Sets what becomes of a domain's addresses that nobody entered.
   *
   * @param acceptUnknown with {@link Validation#CALLOUT}: whether mail is taken while the
   *     customer's server cannot say; otherwise the client is to come again
   */
  public void setValidation(String name, Validation validation, boolean acceptUnknown)
      throws TenantException {
    String domain = domain(name);
    CustomerId customer = customerOfDomain(domain);
    boolean lacking =
        database
            .row(
                "select catch_all_mailbox is null lacking from domain where name = ?",
                row -> row.getBoolean("lacking"),
                domain)
            .orElse(false);
    // What has no mailbox of its own goes to one of the domain.
    Optional<UUID> mailbox =
        validation != Validation.LISTED && lacking
            ? Optional.of(newMailbox(customer, "*@" + domain).value())
            : Optional.empty();
    change(
        "domain " + domain,
        handle -> {
          mailbox.ifPresent(id -> insertMailbox(handle, customer, id));
          return handle.execute(
              "update domain set validation = ?, callout_unknown = ?,"
                  + " catch_all_mailbox = coalesce(catch_all_mailbox, ?::uuid) where name = ?",
              validation.name().toLowerCase(Locale.ROOT),
              acceptUnknown ? "accept" : "wait",
              mailbox.orElse(null),
              domain);
        });
  }

  /**
   * Sets which characters begin the detail of a subaddress (RFC 5233) in a domain.
   *
   * @param separators of {@value Listing#SEPARATORS}; empty: there are no subaddresses
   */
  public void setSubaddress(String name, String separators) throws TenantException {
    String domain = domain(name);
    if (separators.chars().anyMatch(c -> ListingQuery.SEPARATORS.indexOf(c) < 0)
        || separators.chars().distinct().count() != separators.length()) {
      throw new TenantException(
          "\"%s\" cannot separate subaddresses; write some of %s, each once, or off"
              .formatted(separators, ListingQuery.SEPARATORS));
    }
    CustomerId _ = customerOfDomain(domain);
    change(
        "domain " + domain,
        handle ->
            handle.execute("update domain set subaddress = ? where name = ?", separators, domain));
  }

  /** An alias and the mailbox's first address. */
  public record Alias(String address, String user) {}

  /** The aliases of a domain, in order. */
  public List<Alias> aliases(String name) throws TenantException {
    return database.rows(
        "select a.address, coalesce((select min(u.address) from address u"
            + " where u.mailbox_id = a.mailbox_id and u.kind = 'user'), '') of_user"
            + " from address a where a.domain = ? and a.kind = 'alias' order by 1",
        row -> new Alias(row.getString("address"), row.getString("of_user")),
        domain(name));
  }

  /** Takes an alias away; the mailbox and its mail stay. */
  public void removeAlias(EmailAddress alias) throws TenantException {
    if (alias.localPart().equalsIgnoreCase(POSTMASTER)) {
      throw new TenantException(
          "every domain takes mail for its postmaster; give it to another user with 'admin alias add %s USER'"
              .formatted(alias));
    }
    int removed =
        change(
            "alias " + alias,
            handle ->
                handle.execute(
                    "delete from address where address = ? and kind = 'alias'", alias.key()));
    if (removed == 0) {
      throw new TenantException(
          "no alias %s; 'admin alias list %s' shows all".formatted(alias, alias.domain()));
    }
  }

  /**
   * Gives an existing user another address in a domain of the same customer; also that of the
   * domain's postmaster, whose mail then goes to this user.
   */
  public void addAlias(EmailAddress alias, EmailAddress user) throws TenantException {
    CustomerId customer = customerOf(alias);
    if (!customer.equals(customerOf(user))) {
      throw new TenantException(alias.domain() + " is another customer's domain");
    }
    change(
        "alias " + alias,
        handle -> {
          UUID mailbox =
              handle
                  .createQuery(
                      "select mailbox_id from address where address = ? and kind <> 'group'")
                  .bind(0, user.key())
                  .mapTo(UUID.class)
                  .findOne()
                  .orElseThrow(
                      () ->
                          new IllegalArgumentException(
                              "no user " + user + "; for a group, add another group with it"));
          if (alias.localPart().equalsIgnoreCase(POSTMASTER)) {
            handle.execute("delete from address where address = ?", alias.key());
          }
          insertAddress(handle, alias, customer, mailbox, "alias");
          return alias;
        });
  }

  /** The mailbox of a user's address or alias; empty when there is none of that name. */
  public Optional<MailboxId> findMailbox(EmailAddress address) {
    return database.row(
        "select mailbox_id from address where address = ?",
        row -> new MailboxId(row.getObject("mailbox_id", UUID.class)),
        address.key());
  }

  /** The addresses of a domain, in order. */
  public List<String> users(String domain) {
    return database.rows(
        "select address from address where domain = ? order by address",
        row -> row.getString("address"),
        domain);
  }

  /** Sends a domain's mail to SMTP servers, tried in order. */
  public void routeToServers(String name, List<HostPort> servers, Route.Tls tls)
      throws TenantException {
    if (servers.isEmpty()) {
      throw new TenantException("a route needs at least one host:port");
    }
    String[] targets = servers.stream().map(HostPort::toString).toArray(String[]::new);
    setRoute(domain(name), "smtp", targets, tls);
  }

  /** Puts a domain's mail into Maildirs below a directory. */
  public void routeToMaildir(String name, Path directory) throws TenantException {
    String[] targets = {directory.toAbsolutePath().normalize().toString()};
    setRoute(domain(name), "maildir", targets, Route.Tls.OFF);
  }

  private void setRoute(String domain, String kind, String[] targets, Route.Tls tls)
      throws TenantException {
    change(
        "the route of " + domain,
        handle ->
            handle.execute(
                "insert into route (domain, kind, targets, tls) values (?, ?, ?, ?)"
                    + " on conflict (domain) do update set kind = excluded.kind,"
                    + " targets = excluded.targets, tls = excluded.tls",
                domain,
                kind,
                targets,
                tls.name().toLowerCase(Locale.ROOT)));
  }

  private CustomerId customerOfDomain(String domain) throws TenantException {
    return findDomain(domain)
        .orElseThrow(
            () ->
                new TenantException(
                    "no domain " + domain + "; 'admin domain list' shows all domains"));
  }

  private Optional<CustomerId> findDomain(String name) {
    return database.row(
        "select customer_id from domain where name = ?",
        row -> new CustomerId(row.getObject("customer_id", UUID.class)),
        name);
  }

  CustomerId customerOf(EmailAddress address) throws TenantException {
    return findDomain(address.domain())
        .orElseThrow(() -> new TenantException("no domain " + address.domain() + "; add it first"));
  }

  MailboxId newMailbox(CustomerId customer, String label) throws TenantException {
    MailboxId mailbox = MailboxId.create();
    try {
      keys.createMailbox(customer, mailbox, label);
    } catch (IOException e) {
      throw new TenantException("the mailbox's key could not be kept: " + e.getMessage(), e);
    }
    return mailbox;
  }

  static void insertMailbox(Handle handle, CustomerId customer, UUID mailbox) {
    handle.execute(
        "insert into mailbox (id, customer_id) values (?, ?)", mailbox, customer.value());
  }

  static void insertAddress(
      Handle handle, EmailAddress address, CustomerId customer, UUID mailbox, String kind) {
    handle.execute(
        "insert into address (address, customer_id, mailbox_id, domain, kind)"
            + " values (?, ?, ?, ?, ?)",
        address.key(),
        customer.value(),
        mailbox,
        address.domain(),
        kind);
  }

  private static String domain(String name) throws TenantException {
    return EmailAddress.normalDomain(name)
        .orElseThrow(() -> new TenantException("\"" + name + "\" is no domain name"));
  }

  @FunctionalInterface
  interface Change<T> {
    T apply(Handle handle);
  }

  <T> T change(String what, Change<T> change) throws TenantException {
    try {
      return database.jdbi().inTransaction(change::apply);
    } catch (UnableToExecuteStatementException e) {
      String state =
          e.getCause() instanceof java.sql.SQLException sql
              ? String.valueOf(sql.getSQLState())
              : "";
      throw switch (state) {
        case "23505" -> new TenantException(what + " exists already", e);
        case "23503" -> new TenantException(what + ": the domain or customer does not exist", e);
        default -> new TenantException(what + " could not be changed: " + e.getMessage(), e);
      };
    } catch (IllegalArgumentException e) {
      throw new TenantException(String.valueOf(e.getMessage()), e);
    }
  }
}
