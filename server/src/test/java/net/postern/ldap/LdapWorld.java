package net.postern.ldap;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.sdk.LDAPException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import net.postern.address.EmailAddress;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.tenant.AddressValidator;
import net.postern.tenant.Customer;
import net.postern.tenant.DatabaseDirectory;
import net.postern.tenant.Directory;
import net.postern.tenant.DirectorySource;
import net.postern.tenant.DirectorySources;
import net.postern.tenant.DirectorySync;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Route;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import net.postern.testkit.TestCertificate;

/** A customer with a directory: UnboundID's server in memory, or another by its URL. */
final class LdapWorld implements AutoCloseable {
  static final String BASE = "dc=example,dc=com";
  static final String BIND = "cn=postern";
  static final String PASSWORD = "a secret of the directory";

  final TestCertificate certificate = TestCertificate.forName("127.0.0.1");
  final InMemoryDirectoryServer server;
  final Database database = TestDatabase.open();
  final ConcurrentLinkedQueue<MailEvent> events = new ConcurrentLinkedQueue<>();
  final Tenants tenants;
  final Customer customer;
  final DirectorySources sources;
  final LdapSync sync;

  LdapWorld(Path temp) throws Exception {
    server = new InMemoryDirectoryServer(config());
    server.add("dn: " + BASE, "objectClass: domain", "dc: example");
    server.startListening();
    KeyRing keys =
        new KeyRing(
            MasterKey.of(Aead.random(32)),
            new Replicas(List.of(new DirectoryStore("one", temp)), 1));
    tenants = new Tenants(database, keys);
    tenants.addCustomer("Example Ltd");
    customer = tenants.findCustomer("Example Ltd").orElseThrow();
    tenants.addDomain(customer, "example.com", false);
    sources = new DirectorySources(database, keys);
    sync = new LdapSync(sources, new DirectorySync(database, tenants), events::add);
  }

  private InMemoryDirectoryServerConfig config() throws LDAPException {
    InMemoryDirectoryServerConfig config = new InMemoryDirectoryServerConfig(BASE);
    config.setSchema(null);
    config.addAdditionalBindCredentials(BIND, PASSWORD);
    config.setAuthenticationRequiredOperationTypes(com.unboundid.ldap.sdk.OperationType.SEARCH);
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    config.setListenerConfigs(
        InMemoryListenerConfig.createLDAPConfig(
            "ldap", loopback, 0, certificate.serverContext().getSocketFactory()),
        InMemoryListenerConfig.createLDAPSConfig(
            "ldaps", loopback, 0, certificate.serverContext().getServerSocketFactory(), null));
    return config;
  }

  String url() {
    return "ldap://127.0.0.1:" + server.getListenPort("ldap");
  }

  String tlsUrl() {
    return "ldaps://127.0.0.1:" + server.getListenPort("ldaps");
  }

  /** A source with everything else as usual, and no grace. */
  DirectorySource source(DirectorySource.Shape shape) {
    return source(shape, List.of(url()), false, "", BIND, PASSWORD);
  }

  /** Another customer's, without an account. */
  DirectorySource source(CustomerId of, String url) {
    return new DirectorySource(
        of,
        List.of(url),
        false,
        "",
        "",
        Optional.empty(),
        BASE,
        DirectorySource.Shape.OPENLDAP,
        "",
        "",
        List.of(),
        Duration.ofMinutes(15),
        Duration.ZERO,
        20);
  }

  DirectorySource source(
      DirectorySource.Shape shape,
      List<String> urls,
      boolean startTls,
      String trusted,
      String bind,
      String password) {
    return new DirectorySource(
        customer.id(),
        urls,
        startTls,
        trusted,
        bind,
        Optional.of(password),
        BASE,
        shape,
        "",
        "",
        List.of(),
        Duration.ofMinutes(15),
        Duration.ZERO,
        20);
  }

  void set(DirectorySource source) throws TenantException {
    sources.set(source);
  }

  DirectorySync.Applied run() throws TenantException {
    return sync.run(customer.id(), false);
  }

  void person(String uid, String... mail) throws Exception {
    server.add(
        java.util.stream.Stream.concat(
                java.util.stream.Stream.of(
                    "dn: uid=" + uid + "," + BASE,
                    "objectClass: inetOrgPerson",
                    "uid: " + uid,
                    "cn: " + uid,
                    "sn: " + uid,
                    "mail: " + mail[0]),
                java.util.Arrays.stream(mail).skip(1).map(each -> "mailAlternateAddress: " + each))
            .toArray(String[]::new));
  }

  Directory directory() {
    return new DatabaseDirectory(
        database, Duration.ZERO, new Route.Mx(Route.Tls.OFF), AddressValidator.NONE, events::add);
  }

  RecipientLookup look(String user) {
    return directory().lookup(EmailAddress.parse(user + "@example.com").orElseThrow());
  }

  Optional<MailboxId> mailbox(String user) {
    return tenants.findMailbox(EmailAddress.parse(user + "@example.com").orElseThrow());
  }

  CustomerId id() {
    return customer.id();
  }

  @Override
  public void close() {
    sync.close();
    server.shutDown(true);
    database.close();
  }
}
