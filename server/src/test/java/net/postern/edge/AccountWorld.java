package net.postern.edge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.callout.Callouts;
import net.postern.config.CalloutConfig;
import net.postern.config.HostPort;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.dns.MapResolver;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.DatabaseRecipientPolicies;
import net.postern.tenant.Directory;
import net.postern.tenant.Groups;
import net.postern.tenant.RecipientPolicies;
import net.postern.tenant.Route;
import net.postern.tenant.SenderList;
import net.postern.tenant.SenderLists;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import net.postern.tenant.Validation;
import net.postern.testkit.SmtpPeer;

/**
 * Customers' users for scenarios, as the product keeps them: in a database, with a server of the
 * customers' that is asked over real connections.
 */
final class AccountWorld implements AutoCloseable {
  private final Database database = TestDatabase.open();
  private final Path stores;
  private final Tenants tenants;
  private final Groups groups;
  private final SenderLists lists;
  private final Set<String> knows = ConcurrentHashMap.newKeySet();
  private final SmtpPeer server;
  private final Callouts callouts;
  private final DatabaseDirectory directory;
  private String customer = "";
  private volatile boolean cannotSay;
  private volatile boolean takesAll;
  private int questionsSeen;

  AccountWorld() throws IOException {
    stores = Files.createTempDirectory("postern-accounts");
    KeyRing keys =
        new KeyRing(
            MasterKey.of(Aead.random(32)),
            new Replicas(List.of(new DirectoryStore("one", stores)), 1));
    tenants = new Tenants(database, keys);
    groups = new Groups(database, tenants);
    lists = new SenderLists(database);
    server = SmtpPeer.start(this::says);
    callouts =
        new Callouts(
            new CalloutConfig(
                Duration.ofSeconds(5),
                Duration.ofDays(7),
                Duration.ofDays(1),
                Duration.ofHours(2),
                2),
            Duration.ofHours(1),
            TestEdge.HOSTNAME,
            database,
            tenants,
            new MapResolver(),
            event -> {},
            Clock.systemUTC());
    directory =
        new DatabaseDirectory(
            database, Duration.ZERO, new Route.Mx(Route.Tls.OFF), callouts, event -> {});
  }

  private SmtpPeer.Act says(SmtpPeer.Stage stage, String line, int connection) {
    if (stage != SmtpPeer.Stage.RCPT) {
      return new SmtpPeer.Act.Accept();
    }
    if (cannotSay) {
      return new SmtpPeer.Act.Say("451 4.3.0 Try again");
    }
    return takesAll || knows.contains(asked(line))
        ? new SmtpPeer.Act.Accept()
        : new SmtpPeer.Act.Say("550 5.1.1 No such user");
  }

  private static String asked(String line) {
    return line.substring(line.indexOf('<') + 1, line.lastIndexOf('>')).toLowerCase(Locale.ROOT);
  }

  Directory directory() {
    return directory;
  }

  RecipientPolicies policies() {
    return new DatabaseRecipientPolicies(database, Duration.ZERO);
  }

  /**
   * One thing that is set up.
   *
   * <pre>
   * customer NAME               whose the domains are that follow
   * domain NAME HOW [CHARS]     listed, open or callout; characters that begin a detail, or off
   * user ADDRESS
   * alias ADDRESS USER
   * group ADDRESS MEMBER...
   * knows ADDRESS               the customers' server says that it exists
   * silent                      the customers' server cannot say
   * everybody                   the customers' server takes every address
   * block ENTRY ADDRESS         an entry of a user's blocklist; of the customer's for its name; *@DOMAIN
   *                             is the domain's mailbox for all addresses
   * safe ENTRY ADDRESS          likewise
   * </pre>
   */
  void set(String line) throws TenantException {
    String[] words = line.strip().split(" +");
    switch (words[0]) {
      case "customer" -> {
        customer = words[1];
        var _ = tenants.addCustomer(customer);
      }
      case "domain" -> domain(words);
      case "user" -> {
        var _ = tenants.addUser(address(words[1]));
      }
      case "alias" -> tenants.addAlias(address(words[1]), address(words[2]));
      case "group" -> groups.add(address(words[1]), members(words));
      case "knows" -> knows.add(words[1]);
      case "silent" -> cannotSay = true;
      case "everybody" -> takesAll = true;
      case "block" -> list(SenderList.Kind.BLOCK, words);
      case "safe" -> list(SenderList.Kind.SAFE, words);
      default -> throw new IllegalArgumentException("no such account setting: " + line);
    }
  }

  private void domain(String[] words) throws TenantException {
    if (customer.isEmpty()) {
      set("customer Example");
    }
    Validation validation = Validation.valueOf(words[2].toUpperCase(Locale.ROOT));
    tenants.addDomain(
        tenants.findCustomer(customer).orElseThrow(), words[1], validation == Validation.OPEN);
    tenants.setValidation(words[1], validation, false);
    tenants.routeToServers(
        words[1], List.of(new HostPort("127.0.0.1", server.port())), Route.Tls.OFF);
    if (words.length > 3) {
      tenants.setSubaddress(words[1], words[3].equals("off") ? "" : words[3]);
    }
  }

  private void list(SenderList.Kind kind, String[] words) throws TenantException {
    Optional<EmailAddress> user = EmailAddress.parse(words[2]);
    SenderLists.Owner owner =
        user.isPresent()
            ? lists.ownerOf(mailbox(user.get()))
            : new SenderLists.Owner(
                tenants.findCustomer(words[2]).orElseThrow().id(), Optional.empty());
    var _ = lists.add(owner, kind, words[1]);
  }

  private MailboxId mailbox(EmailAddress address) {
    return address.localPart().equals("*")
        ? database
            .row(
                "select catch_all_mailbox from domain where name = ?",
                row -> new MailboxId(row.getObject(1, java.util.UUID.class)),
                address.domain())
            .orElseThrow()
        : tenants.findMailbox(address).orElseThrow();
  }

  private static List<EmailAddress> members(String[] words) {
    return Arrays.stream(words).skip(2).map(AccountWorld::address).toList();
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  /** Whom the customers' server was asked about and nobody has looked at yet. */
  List<String> questions() {
    List<String> all = new ArrayList<>();
    for (String command : server.commands()) {
      // What cannot exist is asked as well, to see whether its yes means anything.
      if (command.startsWith("RCPT TO:<") && !command.contains("<no-such-user-")) {
        all.add(asked(command));
      }
    }
    return all.subList(questionsSeen, all.size());
  }

  /** The next of them was looked at. */
  void seen() {
    questionsSeen++;
  }

  @Override
  public void close() throws IOException {
    callouts.close();
    server.close();
    database.close();
    try (Stream<Path> files = Files.walk(stores)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
