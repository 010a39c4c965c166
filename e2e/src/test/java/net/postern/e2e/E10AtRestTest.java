package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import net.postern.config.ConfigLoader;
import net.postern.config.PosternConfig;
import net.postern.db.Database;
import net.postern.testkit.Await;
import net.postern.testkit.SmtpPeer;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.junit.jupiter.api.Test;

/**
 * Nothing readable at rest. A canary is planted in the text, the subject and the addresses of mail
 * that is delivered, held, waiting, returned and refused; then every file that the node made is
 * searched for it, while it runs, after it was killed and after it stopped: the stores, the
 * database, temporary files and the log. Where the canary may be is listed here, and each such
 * place is a control: the search does find it there.
 */
class E10AtRestTest {
  private static final String TEXT = "canarytext7391 sings in the mine";
  private static final String SUBJECT = "canarysubject7391 about the mine";
  private static final String SENDER = "canarysender7391@client.example";
  private static final String USER = "canaryuser7391@mine.example";
  private static final String HELD = "canaryheld7391@mine.example";
  private static final String WAITING = "canarywaiting7391@waits.example";
  private static final String GONE = "canarygone7391@waits.example";
  private static final String UNKNOWN = "canaryunknown7391@mine.example";

  private static final List<String> CONTENT =
      List.of("canarytext7391", "canarysubject7391", "sings in the mine");
  private static final List<String> ADDRESSES =
      List.of(SENDER, USER, HELD, WAITING, GONE, UNKNOWN).stream()
          .map(address -> address.substring(0, address.indexOf('@')))
          .toList();

  /** Columns that hold addresses in the clear: what is asked for by address has to be found. */
  private static final Set<String> CLEAR_COLUMNS =
      Set.of(
          "address.address",
          "delivery.recipient",
          "delivery.reply",
          "message.reverse_path",
          "trace.recipient",
          "trace.detail");

  @Test
  void aCanaryIsFoundNowhere() throws Exception {
    SmtpPeer.Script script =
        (stage, argument, connection) ->
            stage != SmtpPeer.Stage.RCPT
                ? new SmtpPeer.Act.Accept()
                : argument.contains(GONE)
                    ? new SmtpPeer.Act.Say("550 5.1.1 <" + GONE + "> left the company")
                    : new SmtpPeer.Act.Say("451 4.2.0 <" + WAITING + "> is busy");
    try (SmtpPeer busy = SmtpPeer.start(script);
        SmtpPeer world = SmtpPeer.start(SmtpPeer.ACCEPTING);
        NodeProcess node = NodeProcess.empty("e10")) {
      Path temp = Files.createDirectories(node.directory().resolve("tmp"));
      node.jvm("-Djava.io.tmpdir=" + temp);
      node.set("delivery", "smarthost", "\"127.0.0.1:" + world.port() + "\"");
      node.start();
      Path mail = node.directory().resolve("mail");
      node.adminOk("customer", "add", "Mine");
      node.adminOk("customer", "policy", "Mine", "--flag", "0.5", "--hold", "0.9");
      for (String domain : List.of("mine.example", "waits.example")) {
        node.adminOk("domain", "add", domain, "--customer", "Mine");
      }
      for (String user : List.of(USER, HELD, WAITING, GONE)) {
        node.adminOk("user", "add", user);
      }
      node.adminOk("route", "maildir", "mine.example", mail.toString());
      node.adminOk("route", "smtp", "waits.example", "127.0.0.1:" + busy.port());
      String pseudonym = node.adminOk("pseudonym", USER).strip();

      send(node, USER, SUBJECT);
      send(
          node, HELD, SUBJECT.toUpperCase(java.util.Locale.ROOT) + " URGENT: CONFIRM YOUR ACCOUNT");
      send(node, WAITING, SUBJECT);
      send(node, GONE, SUBJECT);
      assertRefused(node);
      Await.until(() -> !files(mail).isEmpty());
      Await.until(() -> out(node, "quarantine", "list").contains(HELD));
      Await.until(() -> world.received().size() == 1);
      Await.until(() -> node.logOfRun().contains("event=deferred"));
      assertTrue(node.adminOk("quarantine", "list").contains("1"), "one is held");

      search(node, mail, "while it runs");
      searchOpenFiles(node);
      searchDatabase(node);
      assertTrue(node.logOfRun().contains(pseudonym), "the operator can follow an address");

      node.kill();
      search(node, mail, "after it was killed");
      node.start();
      assertEquals(0, node.stop(Duration.ofSeconds(60)));
      search(node, mail, "after it stopped");

      // The control: where mail is delivered it is there to be read, and the search finds it.
      assertFalse(found(files(mail), CONTENT).isEmpty());
      assertFalse(found(files(node.data().resolve("postgresql")), ADDRESSES).isEmpty());
    }
  }

  /** What the files that the node made, other than the mail it delivered, hold of the canary. */
  private static void search(NodeProcess node, Path mail, String when) throws IOException {
    List<Path> all = new ArrayList<>(files(node.directory()));
    all.removeIf(file -> file.startsWith(mail));
    assertTrue(all.stream().anyMatch(file -> file.endsWith("node.log")));
    assertTrue(all.stream().anyMatch(file -> file.toString().contains("segments")));
    assertEquals(List.of(), found(all, CONTENT), when);
    all.removeIf(file -> file.startsWith(node.data().resolve("postgresql/data")));
    assertEquals(List.of(), found(all, ADDRESSES), when);
    // Nor is the database's own log one of the places.
    List<Path> logs =
        files(node.data().resolve("postgresql")).stream()
            .filter(file -> file.getFileName().toString().endsWith(".log"))
            .toList();
    assertEquals(List.of(), found(logs, ADDRESSES), when);
  }

  /** Files without a name are files too. */
  private static void searchOpenFiles(NodeProcess node) throws IOException {
    List<String> nameless = new ArrayList<>();
    try (Stream<Path> open = Files.list(Path.of("/proc/" + node.pid() + "/fd"))) {
      for (Path each : open.toList()) {
        try {
          String target = Files.readSymbolicLink(each).toString();
          if (target.startsWith("/") && target.endsWith(" (deleted)")) {
            nameless.add(target);
          }
        } catch (NoSuchFileException e) {
          // Closed meanwhile.
        }
      }
    }
    assertEquals(List.of(), nameless);
  }

  private static void searchDatabase(NodeProcess node) throws Exception {
    PosternConfig config = ConfigLoader.load(node.writeConfig());
    Set<String> holding = new TreeSet<>();
    try (Database database =
        Database.beside(config.database(), config.node().data()).orElseThrow()) {
      List<String[]> columns =
          database.rows(
              "select table_name, column_name, data_type from information_schema.columns"
                  + " where table_schema = 'public'",
              row -> new String[] {row.getString(1), row.getString(2), row.getString(3)});
      assertTrue(columns.size() > 30, "the tables are there");
      for (String[] column : columns) {
        String bytes =
            column[2].equals("bytea")
                ? "\"" + column[1] + "\""
                : "convert_to(lower(\"" + column[1] + "\"::text), 'UTF8')";
        for (String canary : Stream.concat(CONTENT.stream(), ADDRESSES.stream()).toList()) {
          Optional<Long> rows =
              database.row(
                  "select count(*) from \""
                      + column[0]
                      + "\" where position(convert_to(?, 'UTF8') in "
                      + bytes
                      + ") > 0",
                  row -> row.getLong(1),
                  canary);
          if (rows.orElse(0L) > 0) {
            holding.add(column[0] + "." + column[1]);
            assertFalse(CONTENT.contains(canary), column[0] + "." + column[1] + " has " + canary);
          }
        }
      }
    }
    Set<String> elsewhere = new TreeSet<>(holding);
    elsewhere.removeAll(CLEAR_COLUMNS);
    assertEquals(Set.of(), elsewhere, "no other column has addresses");
    assertTrue(
        holding.containsAll(Set.of("address.address", "delivery.recipient")),
        "the control: " + holding);
  }

  /** Which files hold a canary, in any case, as it is, in UTF-16 or in base64. */
  private static List<String> found(List<Path> files, List<String> canaries) throws IOException {
    List<String> hits = new ArrayList<>();
    for (Path file : files) {
      String text;
      try {
        text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
      } catch (NoSuchFileException e) {
        continue;
      }
      String lower = text.toLowerCase(java.util.Locale.ROOT);
      for (String canary : canaries) {
        boolean hit = lower.contains(canary) || text.replace("\0", "").contains(canary);
        for (int skip = 0; skip < 3; skip++) {
          hit |= text.contains(base64(canary, skip));
        }
        if (hit) {
          hits.add(file + " has " + canary);
        }
      }
    }
    return hits;
  }

  // The part of the base64 of a text that is the same whatever stands before and behind it.
  private static String base64(String text, int skip) {
    String inner = text.substring(skip, skip + (text.length() - skip) / 3 * 3);
    return Base64.getEncoder().encodeToString(inner.getBytes(StandardCharsets.UTF_8));
  }

  private static List<Path> files(Path root) {
    if (!Files.exists(root)) {
      return List.of();
    }
    List<Path> files = new ArrayList<>();
    try {
      Files.walkFileTree(
          root,
          new java.nio.file.SimpleFileVisitor<>() {
            @Override
            public java.nio.file.FileVisitResult visitFile(
                Path file, java.nio.file.attribute.BasicFileAttributes attributes) {
              if (attributes.isRegularFile()) {
                files.add(file);
              }
              return java.nio.file.FileVisitResult.CONTINUE;
            }

            @Override
            public java.nio.file.FileVisitResult visitFileFailed(Path file, IOException e) {
              // PostgreSQL and the delivery rename and remove files all the time.
              return java.nio.file.FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return files;
  }

  private static void send(NodeProcess node, String recipient, String subject)
      throws MessagingException {
    Properties properties = new Properties();
    properties.setProperty("mail.smtp.localhost", "client.example");
    properties.setProperty("mail.smtp.from", SENDER);
    Session session = Session.getInstance(properties);
    MimeMessage message = new MimeMessage(session);
    message.setFrom(new InternetAddress(SENDER));
    message.setRecipient(Message.RecipientType.TO, new InternetAddress(recipient));
    message.setSubject(subject);
    message.setText(TEXT);
    message.saveChanges();
    try (SMTPTransport transport = (SMTPTransport) session.getTransport("smtp")) {
      transport.connect(node.smtp().getAddress().getHostAddress(), node.smtp().getPort(), "", "");
      transport.sendMessage(message, message.getAllRecipients());
    }
  }

  private static void assertRefused(NodeProcess node) {
    MessagingException refused =
        org.junit.jupiter.api.Assertions.assertThrows(
            MessagingException.class, () -> send(node, UNKNOWN, SUBJECT));
    assertTrue(refused.toString().contains("Invalid Addresses"), refused::toString);
  }

  private static String out(NodeProcess node, String... arguments) {
    try {
      return node.adminOk(arguments);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
