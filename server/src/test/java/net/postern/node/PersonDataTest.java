package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.keys.MasterKeys;
import net.postern.tenant.Customer;
import net.postern.tenant.DatabaseKeyShelf;
import net.postern.tenant.Erasures;
import net.postern.tenant.Groups;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docs/erasure.md} is true of every table, those that come later too. */
class PersonDataTest {
  private static final Path PAGE = Path.of("../docs/erasure.md");
  private static final Pattern LINE = Pattern.compile("\\| `(\\w+)` \\| ([^|]+) \\| ([^|]+) \\|");

  @TempDir Path temp;
  private final Database database = TestDatabase.open();
  private Tenants tenants;
  private Erasures erasures;
  private Customer customer;
  private Customer other;
  private MailboxId ann;
  private MailboxId eve;

  @BeforeEach
  void fill() throws Exception {
    KeyRing keys =
        new KeyRing(
            MasterKeys.of(MasterKey.of(Aead.random(32))),
            new Replicas(List.of(new DirectoryStore("one", temp)), 1),
            new DatabaseKeyShelf(database));
    tenants = new Tenants(database, keys);
    erasures = new Erasures(database, keys, Clock.systemUTC(), PersonParts.ALL);
    tenants.addCustomer("Example Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    ann = tenants.addUser(address("ann@example.com"));
    tenants.addAlias(address("sales@example.com"), address("ann@example.com"));
    tenants.addUser(address("bob@example.com"));
    tenants.addCustomer("Other Ltd");
    other = tenants.findCustomer("Other Ltd").orElseThrow();
    tenants.addDomain(other, "other.example", false);
    eve = tenants.addUser(address("eve@other.example"));
    fill(customer, ann, "ann@example.com");
    fill(other, eve, "eve@other.example");
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  // Something of this person and customer in every table whose rows are to go.
  private void fill(Customer of, MailboxId mailbox, String user) throws TenantException {
    EmailAddress address = address(user);
    UUID id = mailbox.value();
    UUID whole = of.id().value();
    String domain = address.domain();
    new Groups(database, tenants)
        .add(
            new EmailAddress("team", domain),
            List.of(
                address,
                new EmailAddress(address.localPart() + "+x", domain),
                address("friend@elsewhere.example")));
    tenants.addServer(
        of, Network.parse(domain.equals("example.com") ? "192.0.2.1" : "192.0.2.2").orElseThrow());
    tenants.routeToMaildir(domain, temp.resolve(domain));
    String detail = user.replace("@", "+shop@");
    String own = "'" + id + "', '" + whole + "'";
    for (String sql :
        List.of(
            "credential (mailbox_id, customer_id, hash) values (" + own + ", 'x')",
            "app_password (mailbox_id, customer_id, name, selector, hash) values ("
                + own
                + ", 'phone', 's', 'x')",
            "app_password_use values ('" + id + "', 'phone', now())",
            "send_limit (mailbox_id, customer_id) values (" + own + ")",
            "send_limit (customer_id) values ('" + whole + "')",
            "sender_entry (mailbox_id, customer_id, entry, kind) values ("
                + own
                + ", 'a.example', 'safe')",
            "check_choice (mailbox_id, customer_id, name, value) values ("
                + own
                + ", 'spf', 'off')",
            "directory_entry (mailbox_id, customer_id, entry, present) values ("
                + own
                + ", 'e', true)",
            "directory_status (customer_id, next_at) values ('" + whole + "', now())",
            "directory_source (customer_id, urls, starttls, base_dn, shape, sync_seconds, grace_seconds, max_gone)"
                + " values ('"
                + whole
                + "', '{ldap://x}', false, 'dc=x', 'ad', 60, 0, 20)",
            "server_certificate (fingerprint, customer_id, subject) values ('"
                + whole
                + "', '"
                + whole
                + "', 'cn=x')",
            "callout_answer values ('" + user + "', '" + domain + "', true, now(), '250')",
            "callout_answer values ('" + detail + "', '" + domain + "', true, now(), '250')",
            "callout_domain (domain, accepts_all) values ('" + domain + "', false)",
            "login_source (mailbox_id, source, last_at) values ('"
                + id
                + "', '192.0.2.0/24', now())",
            "login_failure (key, failures, last_at) values ('account:" + id + "', 1, now())",
            "login_failure (key, failures, last_at) values ('both:"
                + id
                + ":192.0.2.0/24', 1, now())",
            "send_count values ('" + id + "', now(), 1, 1)",
            "send_count values ('" + whole + "', now(), 1, 1)",
            "greylist (key, customer_id, first_at, expires_at) values (uuid_send('"
                + whole
                + "'), '"
                + whole
                + "', now(), now())")) {
      database.jdbi().useHandle(handle -> handle.execute("insert into " + sql));
    }
  }

  /** What is said of a table. */
  private record Said(String ofMailbox, String ofCustomer) {}

  private static Map<String, Said> page() throws Exception {
    Map<String, Said> page = new TreeMap<>();
    for (String line : Files.readAllLines(PAGE)) {
      Matcher matcher = LINE.matcher(line);
      if (matcher.matches()) {
        page.put(matcher.group(1), new Said(matcher.group(2), matcher.group(3)));
      }
    }
    return page;
  }

  private Set<String> tables() {
    return new TreeSet<>(
        database.rows(
            "select table_name from information_schema.tables where table_schema = current_schema()"
                + " and table_type = 'BASE TABLE' and table_name not like 'flyway%'",
            row -> row.getString(1)));
  }

  /** Rows of a table in which any of some texts stand. */
  private List<String> rows(String table, List<String> texts) {
    List<String> found = new ArrayList<>();
    for (String text : texts) {
      found.addAll(
          database.rows(
              "select to_jsonb(t)::text from "
                  + table
                  + " t where position(? in to_jsonb(t)::text) > 0",
              row -> row.getString(1),
              text));
    }
    return found;
  }

  @Test
  void everyTableSaysWhatBecomesOfIt() throws Exception {
    assertEquals(
        tables(),
        new TreeSet<>(page().keySet()),
        "a table that is new: say in docs/erasure.md what becomes of it when a mailbox or a"
            + " customer is erased, and erase it in a PersonData of its package");
    for (Map.Entry<String, Said> each : page().entrySet()) {
      for (String said : List.of(each.getValue().ofMailbox(), each.getValue().ofCustomer())) {
        assertTrue(said.matches("gone|nothing|(stays|runs out): .+"), each::toString);
      }
    }
  }

  /** By its foreign keys a table is somebody's, whatever the page says. */
  @Test
  void whatNamesAMailboxOrACustomerIsNotNothing() throws Exception {
    Map<String, Said> page = page();
    List<String> wrong =
        database.rows(
            "select distinct table_name, column_name from information_schema.columns"
                + " where table_schema = current_schema()"
                + " and column_name in ('mailbox_id', 'customer_id', 'address', 'recipient', 'reverse_path')",
            row -> {
              Said said = page.getOrDefault(row.getString(1), new Said("", ""));
              boolean ofCustomer = row.getString(2).equals("customer_id");
              return (ofCustomer ? said.ofCustomer() : said.ofMailbox()).equals("nothing")
                  ? row.getString(1) + "." + row.getString(2)
                  : "";
            });
    wrong.removeIf(String::isEmpty);
    assertEquals(List.of(), wrong);
  }

  @Test
  void ofAMailboxIsLeftWhatThePageSays() throws Exception {
    List<String> anns = List.of(ann.toString(), "ann@example.com", "ann+", "sales@example.com");
    List<String> eves = List.of(eve.toString(), "eve@other.example", "eve+");
    Map<String, Integer> before = new TreeMap<>();
    for (Map.Entry<String, Said> each : page().entrySet()) {
      String table = each.getKey();
      String said = each.getValue().ofMailbox();
      before.put(table, rows(table, eves).size());
      assertEquals(
          said.equals("gone"),
          said.equals("gone") && !rows(table, anns).isEmpty(),
          table + ": the control, there is something to erase");
      assertFalse(said.equals("nothing") && !rows(table, anns).isEmpty(), table);
    }
    erasures.erase(erasures.find(ann));
    for (Map.Entry<String, Said> each : page().entrySet()) {
      if (each.getValue().ofMailbox().equals("gone")) {
        assertEquals(List.of(), rows(each.getKey(), anns), each.getKey());
      }
      assertEquals(before.get(each.getKey()), rows(each.getKey(), eves).size(), each.getKey());
    }
    // The group goes on with who is left, and so does everybody else.
    assertEquals(
        List.of("friend@elsewhere.example"),
        new Groups(database, tenants).list("example.com").getFirst().members());
    assertTrue(tenants.findMailbox(address("bob@example.com")).isPresent());
    erasures.complete(List.of(ann.value()));
  }

  @Test
  void ofACustomerIsLeftWhatThePageSays() throws Exception {
    List<String> theirs =
        List.of(customer.id().toString(), ann.toString(), "ann@example.com", "example.com\"");
    List<String> others = List.of(other.id().toString(), eve.toString(), "eve@other.example");
    Map<String, Integer> before = new TreeMap<>();
    for (Map.Entry<String, Said> each : page().entrySet()) {
      String said = each.getValue().ofCustomer();
      before.put(each.getKey(), rows(each.getKey(), others).size());
      assertEquals(
          said.equals("gone"),
          said.equals("gone") && !rows(each.getKey(), theirs).isEmpty(),
          each.getKey() + ": the control, there is something to erase");
      assertFalse(said.equals("nothing") && !rows(each.getKey(), theirs).isEmpty(), each.getKey());
    }
    erasures.erase(customer);
    for (Map.Entry<String, Said> each : page().entrySet()) {
      if (each.getValue().ofCustomer().equals("gone")) {
        assertEquals(List.of(), rows(each.getKey(), theirs), each.getKey());
      }
      assertEquals(before.get(each.getKey()), rows(each.getKey(), others).size(), each.getKey());
    }
    assertEquals(List.of(), rows("customer", List.of("Example Ltd")));
  }
}
