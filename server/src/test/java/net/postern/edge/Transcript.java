package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import net.postern.address.EmailAddress;
import net.postern.config.ChecksConfig;
import net.postern.config.Network;
import net.postern.config.Reaction;
import net.postern.config.TestConfig;
import net.postern.db.Database;
import net.postern.db.TestDatabase;
import net.postern.events.MailEvent;
import net.postern.filter.Rule;
import net.postern.filter.dialogue.DialogueStage;
import net.postern.intake.Envelope;
import net.postern.intake.IntakeResult;
import net.postern.source.Sources;
import net.postern.tenant.SenderList;

/**
 * Plays a dialogue from a file against a listening server.
 *
 * <pre>
 * # text          a comment, with the section of the standard that asks for what follows
 * set NAME VALUE  a setting of the server; before the first line of dialogue
 * set sources on  what clients do is counted and has consequences, on the clock of K
 * set limit K V   the same, with a key of [limits]
 * set choice N V  the customer of example.org chose so; with "user" behind it anna@example.org did; the
 *                 same with "set safelist ENTRY" and "set blocklist ENTRY"
 * set account ... users as the product keeps them: see {@link AccountWorld#set}
 * C: text         the client sends this line; lines in a row are sent in one write
 * C! text         the same without CRLF at the end; \r \n \t \0 \xHH \\ and \{text*count} are read
 * S: text         the server's next line begins so
 * S~ regex        the server's next line matches
 * S. closed       the server closes the connection
 * T. start        the client goes on with TLS
 * T. certificate  the same with a certificate of its own, which "set certificate known" makes known
 * D. drain        the server begins to shut down
 * N. connect      the client connects anew
 * N. greeted 5    the same five times, each time waiting for a 220
 * P: A H F T      a client of the address A connects, says HELO H, sends from F (<> is the null
 *                 reverse-path), all of which is taken, and asks for T; the reply comes next
 * G. message      the client sends a message without content, which is taken
 * M: text         intake got one more message, with this content (escapes as above)
 * M. none         intake got nothing more
 * M~ regex        intake got one more message, with content that matches
 * V: field=value  the last message's envelope says so: client, helo, protocol, sender, customers,
 *                 to (all recipients), mailboxes (how many keys open it); detail NAME and waived
 *                 NAME are of a finding: what it says, and for whom it weighs nothing; own NAME
 *                 whose alone it is
 * L: Event        one more event of this kind was reported, such as AuthFailed
 * E: REASON       one more refusal was reported, for this reason
 * E. none         no further refusal was reported
 * F: NAME         the message that intake got last has this finding of a check
 * F! NAME         it does not have it
 * Z: NAME TYPE V  a record of the DNS: A, AAAA, MX (preference host), TXT, PTR (NAME is an address);
 *                 FAIL: questions for the name fail; "none" as value takes records away
 * Q: ADDRESS      one more question about this address came to the customer's server
 * Q. none         no further question came to it
 * A: ADDRESS      connections come from this address from now on; the next one is made at once
 * K: DURATION     the clock goes on: 90s, 5m, 2h, 3d; block lists are tested when they are due
 * W: MILLISECONDS the last reply took at least so long
 * R: 250          the server's next reply, of however many lines, has this code
 * - text          a case: in what follows somebody is refused, cut off, kept waiting, or the filter is
 *                 told, or the file is wrong
 * + text          a control: in what follows nobody is refused, or the test fails; something is taken
 * </pre>
 *
 * A case or control ends where the next one begins.
 */
final class Transcript {
  private static final Pattern REPEAT = Pattern.compile("\\\\\\{(.*?)\\*(\\d+)}");
  private static final int PATIENCE_MILLIS = 60_000;

  private static final java.util.Set<String> WEIGHED =
      new DialogueStage()
          .rules().stream().map(Rule::name).collect(java.util.stream.Collectors.toSet());

  private final Path file;
  private final TestEdge.Settings settings = new TestEdge.Settings();
  private final ByteArrayOutputStream toSend = new ByteArrayOutputStream();
  private String service = "mx";
  private final java.util.Map<String, Integer> eventsSeen = new java.util.HashMap<>();
  private final List<String> limits = new ArrayList<>(List.of("exempt = []"));
  private Optional<Database> database = Optional.empty();
  private Optional<Sources> sources = Optional.empty();
  private int messagesSeen;
  private int refusalsSeen;
  private boolean registered;
  private Section section = Section.START;
  private int refusalsBefore;
  private boolean happened;
  private String command = "";
  private long sent;
  private long took;
  private Socket socket = new Socket();
  private InputStream in = InputStream.nullInputStream();

  /** What the lines are about that are played now. */
  private enum Section {
    START,
    CASE,
    CONTROL
  }

  /** Whether a file has both a case and a control, which playing it checks. */
  static boolean isComplete(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    return lines.stream().anyMatch(line -> line.startsWith("- "))
        && lines.stream().anyMatch(line -> line.startsWith("+ "));
  }

  Transcript(Path file) {
    this.file = file;
  }

  void play() throws Exception {
    List<String> lines = new ArrayList<>(Files.readAllLines(file, StandardCharsets.UTF_8));
    settings.tls = java.util.Optional.of(TestTls.server());
    try {
      int start = 0;
      while (start < lines.size() && isPreparation(lines.get(start))) {
        String line = lines.get(start++);
        if (line.startsWith("set ")) {
          set(line);
        } else if (line.startsWith("Z: ")) {
          settings.world.zone(line.substring(3));
        }
      }
      settings.sources = sources;
      play(lines, start);
    } finally {
      database.ifPresent(Database::close);
      settings.world.close();
      if (settings.accounts.isPresent()) {
        settings.accounts.get().close();
      }
    }
  }

  private static boolean isPreparation(String line) {
    return line.isBlank()
        || line.startsWith("#")
        || line.startsWith("set ")
        || line.startsWith("Z: ");
  }

  private void play(List<String> lines, int start) throws Exception {
    try (TestEdge edge = new TestEdge(settings)) {
      if (registered) {
        edge.directory.register(java.net.InetAddress.ofLiteral("127.0.0.1"));
      }
      connect(edge);
      Thread drain = Thread.ofVirtual().unstarted(() -> edge.server.close(Duration.ofSeconds(10)));
      try {
        for (int i = start; i < lines.size(); i++) {
          step(lines.get(i), file.getFileName() + ":" + (i + 1), edge, drain);
        }
        send();
        end(file.getFileName() + " at the end", edge);
        assertEquals(0, in.available(), file.getFileName() + ": the server said more at the end");
      } finally {
        socket.close();
      }
    }
  }

  private void ask(String[] words, String where, TestEdge edge) throws IOException {
    send();
    socket.close();
    settings.world.client(words[0]);
    connect(edge);
    expect("220", where);
    toSend.write(("HELO " + words[1] + "\r\n").getBytes(StandardCharsets.UTF_8));
    expect("250", where);
    String from = words[2].equals("<>") ? "" : words[2];
    toSend.write(("MAIL FROM:<" + from + ">\r\n").getBytes(StandardCharsets.UTF_8));
    expect("250", where);
    command = "RCPT TO:<" + words[3] + ">";
    toSend.write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
  }

  private void expect(String start, String where) throws IOException {
    String got = receive(where);
    assertTrue(got.startsWith(start), where + ": expected " + start + " but got " + got);
  }

  private void end(String where, TestEdge edge) {
    if (section == Section.CONTROL) {
      assertEquals(
          refusalsBefore, edge.refusals().size(), where + ": the control before it was refused");
      assertTrue(happened, where + ": nothing was taken in the control before it");
    } else if (section == Section.CASE) {
      assertTrue(happened, where + ": nothing was refused or told in the case before it");
    }
  }

  // What leads to a message, not what comes before it or is always answered so.
  private boolean isTaken(String line) {
    return line.matches("M[:~].*|G\\.")
        || (line.matches("[SR][:~] ?2.*")
            && !command.matches("(|EHLO|HELO|MAIL|RSET|NOOP|VRFY|QUIT)( .*)?"));
  }

  private static boolean isRefused(String line) {
    return line.matches("[SR][:~] ?[45].*|S\\. closed|[FW]: .*");
  }

  // The client is 127.0.0.1, which the product never looks at; here nobody is exempt.
  private void knowSources(String limit) {
    Database opened = database.orElseGet(TestDatabase::open);
    database = Optional.of(opened);
    limits.add(limit);
    sources =
        Optional.of(
            new Sources(
                TestConfig.limits(limits.toArray(String[]::new)),
                List.of(),
                new byte[32],
                opened,
                event -> {},
                settings.world.clock()));
  }

  private void step(String line, String where, TestEdge edge, Thread drain) throws Exception {
    if (line.isBlank() || line.startsWith("#")) {
      return;
    }
    String text = line.length() > 3 ? line.substring(3) : "";
    if (line.startsWith("C: ")) {
      command = text;
    }
    happened |= section == Section.CONTROL ? isTaken(line) : isRefused(line);
    switch (line.substring(0, Math.min(2, line.length()))) {
      case "- ", "+ " -> {
        end(where, edge);
        section = line.startsWith("+") ? Section.CONTROL : Section.CASE;
        refusalsBefore = edge.refusals().size();
        happened = false;
      }
      case "R:" -> {
        String got;
        do {
          got = receive(where);
          assertTrue(
              got.startsWith(text.strip()), where + ": expected " + text + " but got " + got);
        } while (got.startsWith("-", 3));
      }
      case "W:" -> {
        long millis = Duration.ofNanos(took).toMillis();
        assertTrue(millis >= Long.parseLong(text.strip()), where + ": it took " + millis + " ms");
      }
      case "P:" -> ask(text.strip().split(" +"), where, edge);
      case "G." -> {
        toSend.write("DATA\r\n".getBytes(StandardCharsets.UTF_8));
        expect("354", where);
        toSend.write(".\r\n".getBytes(StandardCharsets.UTF_8));
        expect("250", where);
        messagesSeen++;
      }
      case "C:" -> toSend.write((text + "\r\n").getBytes(StandardCharsets.UTF_8));
      case "C!" -> toSend.write(unescape(text));
      case "S:" -> {
        String got = receive(where);
        assertTrue(got.startsWith(text), where + ": expected " + text + " but got " + got);
      }
      case "S~" -> {
        String got = receive(where);
        assertTrue(got.matches(text), where + ": expected " + text + " but got " + got);
      }
      case "S." -> {
        send();
        int more = in.read();
        assertEquals(-1, more, where + ": the server should have closed the connection");
      }
      case "T." ->
          startTls(text.strip().equals("certificate") ? TestTls.relay() : TestTls.client());
      case "D." -> {
        drain.start();
        assertTrue(
            Wait.until(Duration.ofSeconds(10), () -> refusesConnections(edge)),
            where + ": still listening");
      }
      case "N." -> {
        String[] words = text.strip().split(" ");
        int times = words.length > 1 ? Integer.parseInt(words[1]) : 1;
        for (int i = 0; i < times; i++) {
          send();
          socket.close();
          command = "";
          connect(edge);
          if (words[0].equals("greeted")) {
            expect("220", where);
          }
        }
      }
      case "A:" -> {
        send();
        socket.close();
        command = "";
        settings.world.client(text.strip());
        connect(edge);
      }
      case "Q:" -> {
        List<String> questions = accounts().questions();
        assertFalse(questions.isEmpty(), where + ": the customer's server was not asked");
        assertEquals(text.strip(), questions.getFirst(), where);
        accounts().seen();
      }
      case "Q." -> assertEquals(List.of(), accounts().questions(), where);
      case "Z:" -> settings.world.zone(text);
      case "K:" -> settings.world.advance(text.strip());
      case "F:" -> {
        assertTrue(found(edge, text.strip()), where + ": intake was not told");
        assertTrue(WEIGHED.contains(text.strip()), where + ": the filter's table does not have it");
      }
      case "F!" -> assertFalse(found(edge, text.strip()), where + ": intake was told");
      case "M:" -> {
        List<TestEdge.Taken> taken = List.copyOf(edge.taken);
        assertTrue(taken.size() > messagesSeen, where + ": intake got no message");
        assertEquals(
            new String(unescape(text), StandardCharsets.ISO_8859_1),
            taken.get(messagesSeen++).text(),
            where);
      }
      case "M~" -> {
        List<TestEdge.Taken> taken = List.copyOf(edge.taken);
        assertTrue(taken.size() > messagesSeen, where + ": intake got no message");
        String got = taken.get(messagesSeen++).text();
        assertTrue(
            Pattern.compile(text, Pattern.DOTALL).matcher(got).matches(), where + ": " + got);
      }
      case "V:" -> {
        Envelope last = List.copyOf(edge.taken).getLast().envelope();
        String field = text.substring(0, text.indexOf('='));
        assertEquals(text.substring(text.indexOf('=') + 1), value(last, field), where);
      }
      case "L:" -> {
        int seen = eventsSeen.merge(text.strip(), 1, Integer::sum);
        long all =
            edge.events.stream()
                .filter(each -> each.getClass().getSimpleName().equals(text.strip()))
                .count();
        assertTrue(all >= seen, where + ": no such event was reported");
      }
      case "M." -> assertEquals(messagesSeen, edge.taken.size(), where + ": intake got a message");
      case "E:" -> {
        List<MailEvent.Refused> refusals = edge.refusals();
        assertTrue(refusals.size() > refusalsSeen, where + ": no refusal was reported");
        assertEquals(
            MailEvent.Reason.valueOf(text.strip()), refusals.get(refusalsSeen++).reason(), where);
      }
      case "E." ->
          assertEquals(refusalsSeen, edge.refusals().size(), where + ": a refusal was reported");
      default -> throw new IllegalArgumentException(where + ": not understood: " + line);
    }
  }

  private static String value(Envelope envelope, String field) {
    // What a note says, and for whom it weighs nothing.
    if (field.startsWith("detail ") || field.startsWith("waived ")) {
      String name = field.substring(7);
      return envelope.notes().stream()
          .filter(note -> note.name().equals(name))
          .map(
              note ->
                  field.startsWith("detail ")
                      ? note.detail()
                      : note.waived().entrySet().stream()
                          .map(each -> each.getKey() + ": " + each.getValue())
                          .sorted()
                          .collect(java.util.stream.Collectors.joining("; ")))
          .collect(java.util.stream.Collectors.joining(" | "));
    }
    if (field.startsWith("own ")) {
      return envelope.notes().stream()
          .filter(note -> note.name().equals(field.substring(4)))
          .flatMap(note -> note.of().stream())
          .sorted()
          .collect(java.util.stream.Collectors.joining(" "));
    }
    return switch (field) {
      case "client" -> envelope.client().getHostAddress();
      case "name" -> envelope.clientName();
      case "helo" -> envelope.helo();
      case "protocol" -> envelope.protocol();
      case "hidden" -> String.valueOf(envelope.hideClient());
      case "sender" -> envelope.submitter().map(each -> each.name()).orElse("");
      case "to" ->
          envelope.recipients().stream()
              .map(each -> each.address().toString())
              .collect(java.util.stream.Collectors.joining(" "));
      case "mailboxes" ->
          String.valueOf(
              envelope.recipients().stream().map(each -> each.mailbox()).distinct().count());
      case "customers" ->
          envelope.recipients().stream()
              .map(each -> each.customer().equals(TestDirectory.CUSTOMER) ? "own" : "other")
              .collect(java.util.stream.Collectors.joining(" "));
      default -> throw new IllegalArgumentException("no such field: " + field);
    };
  }

  private static boolean found(TestEdge edge, String name) {
    List<TestEdge.Taken> taken = List.copyOf(edge.taken);
    return taken.getLast().envelope().notes().stream().anyMatch(note -> note.name().equals(name));
  }

  private static boolean refusesConnections(TestEdge edge) {
    try (Socket probe = new Socket(edge.address().getAddress(), edge.port())) {
      return !probe.isConnected();
    } catch (IOException e) {
      return true;
    }
  }

  private void connect(TestEdge edge) throws IOException {
    sent = System.nanoTime();
    socket = new Socket(edge.address().getAddress(), edge.port(service));
    socket.setSoTimeout(PATIENCE_MILLIS);
    in = new BufferedInputStream(socket.getInputStream());
    if (service.equals("submissions")) {
      startTls(TestTls.client());
    }
  }

  private void startTls(SSLContext client) throws IOException {
    SSLSocket secure =
        (SSLSocket)
            client
                .getSocketFactory()
                .createSocket(socket, TestEdge.HOSTNAME, socket.getPort(), true);
    secure.startHandshake();
    socket = secure;
    in = new BufferedInputStream(secure.getInputStream());
  }

  private void send() throws IOException {
    if (toSend.size() > 0) {
      // Before it goes: how long the answer took at least must not depend on who is slow here.
      sent = System.nanoTime();
      socket.getOutputStream().write(toSend.toByteArray());
      socket.getOutputStream().flush();
      toSend.reset();
    }
  }

  private String receive(String where) throws IOException {
    send();
    String line = line(where);
    took = System.nanoTime() - sent;
    return line;
  }

  private String line(String where) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int b;
    while ((b = in.read()) >= 0) {
      if (b == '\r') {
        assertEquals('\n', in.read(), where + ": the server sent a CR without LF");
        return line.toString(StandardCharsets.UTF_8);
      }
      line.write(b);
    }
    return "(closed after '" + line.toString(StandardCharsets.UTF_8) + "')";
  }

  private AccountWorld accounts() throws IOException {
    if (settings.accounts.isEmpty()) {
      settings.accounts = Optional.of(new AccountWorld());
    }
    return settings.accounts.get();
  }

  private void set(String line) throws Exception {
    String[] words = line.split(" ");
    switch (words[1]) {
      case "maxMessage" -> settings.maxMessage = Long.parseLong(words[2]);
      case "maxRecipients" -> settings.maxRecipients = Integer.parseInt(words[2]);
      case "maxMessages" -> settings.maxMessages = Integer.parseInt(words[2]);
      case "softErrors" -> settings.softErrors = Integer.parseInt(words[2]);
      case "hardErrors" -> settings.hardErrors = Integer.parseInt(words[2]);
      case "receiveMemory" -> settings.receiveMemory = Long.parseLong(words[2]);
      case "commandTimeoutMillis" ->
          settings.commandTimeout = Duration.ofMillis(Long.parseLong(words[2]));
      case "dataTimeoutMillis" ->
          settings.dataTimeout = Duration.ofMillis(Long.parseLong(words[2]));
      case "sources" -> knowSources("");
      case "limit" -> knowSources(words[2] + " = " + words[3]);
      case "greetPauseMillis" -> settings.greetPause = Duration.ofMillis(Long.parseLong(words[2]));
      case "earlyTalkers" ->
          settings.earlyTalkers = Reaction.valueOf(words[2].toUpperCase(Locale.ROOT));
      case "pipelining" ->
          settings.pipeliningAbuse = Reaction.valueOf(words[2].toUpperCase(Locale.ROOT));
      case "junkCommands" -> settings.junkCommands = Integer.parseInt(words[2]);
      case "delayedSessions" -> settings.delayedSessions = Integer.parseInt(words[2]);
      case "postmaster" -> settings.postmaster = EmailAddress.parse(words[2]).orElseThrow();
      case "service" -> service = words[2];
      case "proxies" -> settings.proxies = List.of(Network.parse(words[2]).orElseThrow());
      case "xclients" -> settings.xclients = List.of(Network.parse(words[2]).orElseThrow());
      case "plainOnLoopback" -> settings.plainOnLoopback = Boolean.parseBoolean(words[2]);
      case "author" -> settings.author = words[2];
      case "hideClient" -> settings.hideClient = Boolean.parseBoolean(words[2]);
      case "accountMessagesHour" -> settings.accountMessagesHour = Integer.parseInt(words[2]);
      case "accountRecipientsHour" -> settings.accountRecipientsHour = Integer.parseInt(words[2]);
      case "serverMailbox" -> settings.serverMailbox = Boolean.parseBoolean(words[2]);
      case "registered" -> registered = true;
      case "certificate" -> settings.certificate = Optional.of(TestTls.relayFingerprint());
      case "account" -> accounts().set(line.substring("set account ".length()));
      case "client" -> settings.world.client(words[2]);
      case "zones" -> settings.world.zones(line.substring("set zones ".length()));
      case "off" -> settings.world.off(words[2]);
      case "policies" -> settings.world.policiesKnown = !words[2].equals("unknown");
      case "dnsblThreshold" -> settings.world.threshold = Integer.parseInt(words[2]);
      case "spfFail" ->
          settings.world.spfFail = ChecksConfig.OnFail.valueOf(words[2].toUpperCase(Locale.ROOT));
      case "safelist" -> settings.world.list(SenderList.Kind.SAFE, words[2], words.length > 3);
      case "blocklist" -> settings.world.list(SenderList.Kind.BLOCK, words[2], words.length > 3);
      case "choice" -> settings.world.choose(words[2], words[3], words.length > 4);
      case "intake" -> settings.intake = intake(words[2]);
      default -> throw new IllegalArgumentException("no such setting: " + line);
    }
  }

  private static net.postern.intake.Intake intake(String kind) {
    return switch (kind.toLowerCase(Locale.ROOT)) {
      case "refusing" ->
          (envelope, content) ->
              new IntakeResult.Refused(
                  550, "5.7.1", "This looks like spam", MailEvent.Reason.CONTENT);
      case "failing" ->
          (envelope, content) -> {
            throw new IllegalStateException("intake is broken on purpose");
          };
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private static byte[] unescape(String text) {
    Matcher repeats = REPEAT.matcher(text);
    StringBuilder expanded = new StringBuilder();
    while (repeats.find()) {
      repeats.appendReplacement(
          expanded,
          Matcher.quoteReplacement(repeats.group(1).repeat(Integer.parseInt(repeats.group(2)))));
    }
    repeats.appendTail(expanded);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < expanded.length(); i++) {
      char c = expanded.charAt(i);
      if (c != '\\') {
        out.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      switch (expanded.charAt(++i)) {
        case 'r' -> out.write('\r');
        case 'n' -> out.write('\n');
        case 't' -> out.write('\t');
        case '0' -> out.write(0);
        case '\\' -> out.write('\\');
        case 'x' -> {
          out.write(Integer.parseInt(expanded.substring(i + 1, i + 3), 16));
          i += 2;
        }
        default -> throw new IllegalArgumentException("no such escape in " + text);
      }
    }
    return out.toByteArray();
  }
}
