package net.postern.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.config.ConfigLoader;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.ledger.MessageQueries;
import net.postern.ledger.MessageView;
import net.postern.tenant.Customer;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import net.postern.testkit.Await;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a client is told by a whole node, and what the node's records say of it afterwards. */
class EdgeAndIntakeTest {
  private static final String GTUBE =
      "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

  @TempDir private static Path directory;
  private static Node node;
  private static CustomerId first;
  private static CustomerId second;

  @BeforeAll
  static void start() throws Exception {
    node =
        Node.start(
            ConfigLoader.fromText(
                """
                [node]
                hostname = "mx.host.example"
                data = "data"
                drain = "1s"
                directory_cache = "0s"
                [edge]
                listen = ["127.0.0.1:0"]
                starttls = false
                [vault]
                reserve = "1 MiB"
                [observe]
                listen = "127.0.0.1:0"
                """,
                directory));
    first = customer("First", "one.example");
    second = customer("Second", "two.example");
  }

  private static CustomerId customer(String name, String domain) throws TenantException {
    Tenants tenants = node.tenants();
    CustomerId id = tenants.addCustomer(name);
    Customer customer = tenants.findCustomer(name).orElseThrow();
    tenants.setPolicy(customer, 3, 4, 5, "");
    tenants.addDomain(customer, domain, false);
    tenants.addUser(address("user@" + domain));
    tenants.routeToMaildir(domain, directory.resolve("mail"));
    return id;
  }

  @AfterAll
  static void stop() {
    node.close();
  }

  @Test
  void aRefusedMessageIsReportedOnceForEachRecipient() throws Exception {
    try (Client client = new Client()) {
      client.envelope("user@one.example", "user@two.example");
      client.expect(message(GTUBE), "550 5.7.1");
      // The control: what is taken is no refusal.
      client.envelope("user@one.example", "user@two.example");
      client.expect(message("See you tomorrow."), "250 2.0.0");
      // What is traced after them tells when they are.
      client.expect("MAIL FROM:<sender@example.net>", "250");
      client.expect("RCPT TO:<last@one.example>", "550 5.1.1");
    }
    Await.until(() -> traced("550 5.1.1 ").contains(first + " last@one.example"));
    assertEquals(
        List.of(first + " user@one.example", second + " user@two.example"), traced("550 5.7.1"));
    String metrics = metrics();
    List<String> content =
        metrics
            .lines()
            .filter(line -> line.startsWith("postern_refused_total{") && line.contains("content"))
            .toList();
    assertEquals(1, content.size(), metrics);
    assertTrue(content.getFirst().endsWith(" 2.0"), content.getFirst());
  }

  private static String message(String text) {
    return """
        From: Sender <sender@example.net>
        To: user@one.example
        Date: %s
        Message-ID: <%s@example.net>
        Subject: tomorrow

        %s
        .\
        """
        .formatted(
            DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)),
            UUID.randomUUID(),
            text)
        .replace("\n", "\r\n");
  }

  private static List<String> traced(String reply) {
    return node.database()
        .jdbi()
        .withHandle(
            handle ->
                handle
                    .select(
                        "select customer_id, recipient from trace where event = 'refused'"
                            + " and customer_id is not null"
                            + " and detail like ? order by recipient",
                        reply + "%")
                    .map(
                        (row, context) ->
                            new CustomerId(row.getObject("customer_id", UUID.class))
                                + " "
                                + row.getString("recipient"))
                    .list());
  }

  private static String metrics() throws IOException, InterruptedException {
    URI page = URI.create("http://127.0.0.1:" + node.httpPort().orElseThrow() + "/metrics");
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }

  /** RFC 5321 §4.5.1: mail for postmaster is taken for every domain, and for the host. */
  @Test
  void everyDomainHasAPostmaster() throws Exception {
    Tenants tenants = node.tenants();
    Customer customer = tenants.findCustomer("First").orElseThrow();
    assertEquals(
        List.of("postmaster@two.example", "user@two.example"), tenants.users("two.example"));
    try (Client client = new Client()) {
      client.expect("MAIL FROM:<>", "250");
      client.expect("RCPT TO:<postmaster@two.example>", "250");
      client.expect("RCPT TO:<PostMaster@two.example>", "250");
      // The control: another role that nobody added.
      client.expect("RCPT TO:<hostmaster@two.example>", "550 5.1.1");
      client.expect("RCPT TO:<postmaster>", "550 5.1.1 No postmaster for this host");
      tenants.addDomain(customer, "mx.host.example", false);
      client.expect("RCPT TO:<postmaster>", "250");
    }
  }

  @Test
  void aUserCanBeThePostmaster() throws Exception {
    Tenants tenants = node.tenants();
    Customer customer = tenants.findCustomer("First").orElseThrow();
    tenants.addDomain(customer, "three.example", true);
    tenants.addUser(address("anna@three.example"));
    assertNotEquals(mailbox("anna@three.example"), mailbox("postmaster@three.example"));
    tenants.addAlias(address("postmaster@three.example"), address("anna@three.example"));
    assertEquals(mailbox("anna@three.example"), mailbox("postmaster@three.example"));
    // The controls: another name is not taken over, and a domain is not added twice.
    tenants.addUser(address("otto@three.example"));
    assertThrows(
        TenantException.class,
        () -> tenants.addAlias(address("otto@three.example"), address("anna@three.example")));
    TenantException twice =
        assertThrows(
            TenantException.class, () -> tenants.addDomain(customer, "three.example", false));
    assertEquals("domain three.example exists already", twice.getMessage());
  }

  @Test
  void whatIsHeldIsFoundAndLetOut() throws Exception {
    CustomerId third = customer("Third", "four.example");
    Customer customer = node.tenants().findCustomer("Third").orElseThrow();
    node.tenants().setPolicy(customer, 3, 4, 1_000_000, "");
    try (Client client = new Client()) {
      client.envelope("user@four.example");
      client.expect(message(GTUBE), "250 2.0.0");
    }
    MessageQueries messages = new MessageQueries(node.database());
    Await.until(() -> messages.held(Optional.of(third), 10).size() == 1);
    MessageView held = messages.held(Optional.of(third), 10).getFirst();
    assertEquals("user@four.example", held.recipient());
    assertEquals(List.of(held), messages.held(Optional.empty(), 10));
    assertEquals(List.of(held), messages.search("USER@four.", 10));
    // The controls: another customer's view, and a sign that would match anything.
    assertEquals(List.of(), messages.held(Optional.of(first), 10));
    assertEquals(List.of(), messages.search("user%four", 10));
    MessageId id = held.key().message();
    assertEquals(List.of(), messages.release(id, Optional.of(1), "anna"));
    assertEquals(1, messages.release(id, Optional.empty(), "anna").size());
    assertEquals(List.of(), messages.held(Optional.empty(), 10));
    List<String> steps =
        messages.find(id).getFirst().steps().stream().map(MessageView.Step::detail).toList();
    assertTrue(steps.contains("by anna"), steps.toString());
  }

  private static UUID mailbox(String address) {
    return node.database()
        .jdbi()
        .withHandle(
            handle ->
                handle
                    .select("select mailbox_id from address where address = ?", address)
                    .mapTo(UUID.class)
                    .one());
  }

  private static EmailAddress address(String text) {
    return EmailAddress.parse(text).orElseThrow();
  }

  /** A client that says one line and hears one reply. */
  private static final class Client implements AutoCloseable {
    private final Socket socket;
    private final BufferedReader in;

    Client() throws IOException {
      var at = node.smtpPorts().getFirst();
      socket = new Socket(at.getAddress(), at.getPort());
      socket.setSoTimeout(30_000);
      in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      assertTrue(in.readLine().startsWith("220 "));
      expect("HELO client.example", "250");
    }

    void envelope(String... recipients) throws IOException {
      expect("MAIL FROM:<sender@example.net>", "250");
      for (String recipient : recipients) {
        expect("RCPT TO:<" + recipient + ">", "250");
      }
      expect("DATA", "354");
    }

    void expect(String line, String reply) throws IOException {
      socket.getOutputStream().write((line + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
      String got = in.readLine();
      assertTrue(got != null && got.startsWith(reply), line + ": " + got);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
