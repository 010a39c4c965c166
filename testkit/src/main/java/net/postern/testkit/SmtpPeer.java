package net.postern.testkit;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * A real, small SMTP server on a free port of 127.0.0.1 that does what its {@link Script} says and
 * records what it got. A virtual thread for each connection.
 */
public final class SmtpPeer implements AutoCloseable {

  /** Where in the dialogue a script can act. */
  public enum Stage {
    CONNECT,
    EHLO,
    HELO,
    STARTTLS,
    MAIL,
    RCPT,
    DATA,
    END_OF_DATA,
    RSET,
    QUIT
  }

  /** What the peer does at a stage. */
  public sealed interface Act {

    /** The usual positive reply. */
    record Accept() implements Act {}

    /** This reply, code first, without line end. */
    record Say(String reply) implements Act {}

    /** This reply, and then the connection is closed. */
    record SayAndDrop(String reply) implements Act {}

    /** The connection is closed without a word. */
    record Drop() implements Act {}

    /** Reads on and says nothing any more, until the client ends or the peer is closed. */
    record Hang() implements Act {}
  }

  /** Decides, for each command; called by many threads. */
  @FunctionalInterface
  public interface Script {
    /**
     * @param argument the command line, or empty at CONNECT and END_OF_DATA
     * @param connection number of the connection, from 1
     */
    Act at(Stage stage, String argument, int connection);
  }

  /** A message as it came, dots undoubled. */
  public record Received(
      String mailCommand,
      String reversePath,
      List<String> recipients,
      byte[] content,
      int connection,
      boolean tls) {
    public String text() {
      return new String(content, StandardCharsets.UTF_8);
    }
  }

  /** Accepts all. */
  public static final Script ACCEPTING = (stage, argument, connection) -> new Act.Accept();

  private final ServerSocket listener;
  private final List<String> extensions;
  private final Optional<SSLContext> tls;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final List<Received> received = new CopyOnWriteArrayList<>();
  private final List<String> commands = new CopyOnWriteArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger mostAtOnce = new AtomicInteger();
  private volatile Script script;

  private SmtpPeer(Script script, List<String> extensions, Optional<SSLContext> tls)
      throws IOException {
    this.script = script;
    this.extensions = extensions;
    this.tls = tls;
    this.listener = new ServerSocket(0, 500, InetAddress.ofLiteral("127.0.0.1"));
    Thread _ = Thread.ofVirtual().start(this::accept);
  }

  /** A modern server that follows the script. */
  public static SmtpPeer start(Script script) throws IOException {
    return new SmtpPeer(
        script, List.of("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10485760"), Optional.empty());
  }

  /** A server with these EHLO keywords only; none at all still knows EHLO. */
  public static SmtpPeer with(Script script, String... extensions) throws IOException {
    return new SmtpPeer(script, List.of(extensions), Optional.empty());
  }

  /** A server that offers STARTTLS with this certificate. */
  public static SmtpPeer withTls(Script script, TestCertificate certificate) throws IOException {
    return new SmtpPeer(
        script,
        List.of("PIPELINING", "8BITMIME", "STARTTLS"),
        Optional.of(certificate.serverContext()));
  }

  public int port() {
    return listener.getLocalPort();
  }

  /** From the next command on. */
  public void follow(Script next) {
    script = next;
  }

  /** What was accepted at the end of data, in order. */
  public List<Received> received() {
    return received;
  }

  /**
   * Every command line of every connection, in order of arrival: what the script makes of it is
   * settled, and it is not answered yet.
   */
  public List<String> commands() {
    return commands;
  }

  /** How many connections there were; the last of them is open or was. */
  public int connections() {
    return connections.get();
  }

  /** The most connections that were open at one time. */
  public int mostAtOnce() {
    return mostAtOnce.get();
  }

  /** How many connections are open now. */
  public int openConnections() {
    return open.size();
  }

  /** Closes all connections that are open now, as a restarted server does. */
  public void dropConnections() {
    for (Socket socket : open) {
      closeQuietly(socket);
    }
  }

  @Override
  public void close() {
    closeQuietly(listener);
    dropConnections();
  }

  private void accept() {
    while (true) {
      Socket socket;
      try {
        socket = listener.accept();
      } catch (IOException e) {
        return;
      }
      open.add(socket);
      if (listener.isClosed()) {
        // Accepted while the others were closed.
        closeQuietly(socket);
        open.remove(socket);
        return;
      }
      int now = open.size();
      mostAtOnce.accumulateAndGet(now, Math::max);
      int number = connections.incrementAndGet();
      Thread _ =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try {
                      new Session(socket, number).run();
                    } catch (IOException e) {
                      // The client went away, as clients do.
                    } finally {
                      closeQuietly(socket);
                      open.remove(socket);
                    }
                  });
    }
  }

  private static void closeQuietly(java.io.Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      // It is closed.
    }
  }

  private final class Session {
    private final int number;
    private Socket socket;
    private InputStream in;
    private OutputStream out;
    private boolean secure;
    private String mail = "";
    private final List<String> recipients = new ArrayList<>();

    Session(Socket socket, int number) throws IOException {
      this.socket = socket;
      this.number = number;
      socket.setTcpNoDelay(true);
      this.in = new BufferedInputStream(socket.getInputStream(), 16 * 1024);
      this.out = socket.getOutputStream();
    }

    void run() throws IOException {
      if (!perform(script.at(Stage.CONNECT, "", number), "220 peer.example ESMTP")) {
        return;
      }
      while (true) {
        String line = line();
        if (line.isEmpty() && socket.isClosed()) {
          return;
        }
        if (!command(line)) {
          return;
        }
      }
    }

    private boolean command(String line) throws IOException {
      String verb = line.length() < 4 ? line : line.substring(0, 4).toUpperCase(Locale.ROOT);
      return switch (verb) {
        case "EHLO" -> act(Stage.EHLO, line, ehlo());
        case "HELO" -> act(Stage.HELO, line, "250 peer.example");
        case "STAR" -> startTls(line);
        case "MAIL" -> mail(line);
        case "RCPT" -> rcpt(line);
        case "DATA" -> data(line);
        case "RSET" -> {
          forget();
          yield act(Stage.RSET, line, "250 2.0.0 Ok");
        }
        case "QUIT" -> {
          boolean _ = act(Stage.QUIT, line, "221 2.0.0 Bye");
          yield false;
        }
        default -> refused(line, "500 5.5.1 Unknown command");
      };
    }

    private String ehlo() {
      List<String> lines = new ArrayList<>();
      lines.add("peer.example");
      lines.addAll(extensions);
      if (secure) {
        lines.remove("STARTTLS");
      }
      StringBuilder reply = new StringBuilder();
      for (int i = 0; i < lines.size(); i++) {
        boolean last = i == lines.size() - 1;
        reply.append(last ? "250 " : "250-").append(lines.get(i)).append(last ? "" : "\r\n");
      }
      return reply.toString();
    }

    private boolean startTls(String line) throws IOException {
      if (tls.isEmpty()) {
        return refused(line, "502 5.5.1 No TLS here");
      }
      Act act = ask(Stage.STARTTLS, line);
      if (!(act instanceof Act.Accept)) {
        return perform(act, "");
      }
      boolean _ = say("220 2.0.0 Go ahead");
      SSLSocket upgraded =
          (SSLSocket)
              tls.get().getSocketFactory().createSocket(socket, "peer", socket.getPort(), true);
      upgraded.setUseClientMode(false);
      upgraded.startHandshake();
      socket = upgraded;
      in = new BufferedInputStream(upgraded.getInputStream(), 16 * 1024);
      out = upgraded.getOutputStream();
      secure = true;
      return true;
    }

    private boolean mail(String line) throws IOException {
      Act act = ask(Stage.MAIL, line);
      if (act instanceof Act.Accept) {
        forget();
        mail = line;
      }
      return perform(act, "250 2.1.0 Ok");
    }

    private boolean rcpt(String line) throws IOException {
      if (mail.isEmpty()) {
        return refused(line, "503 5.5.1 MAIL first");
      }
      Act act = ask(Stage.RCPT, line);
      if (act instanceof Act.Accept) {
        recipients.add(path(line));
      }
      return perform(act, "250 2.1.5 Ok");
    }

    private boolean data(String line) throws IOException {
      if (recipients.isEmpty()) {
        return refused(line, "503 5.5.1 RCPT first");
      }
      Act act = ask(Stage.DATA, line);
      if (!perform(act, "354 End with a dot")) {
        return false;
      }
      if (!(act instanceof Act.Accept)) {
        return true;
      }
      byte[] content = content();
      Act end = script.at(Stage.END_OF_DATA, "", number);
      if (end instanceof Act.Accept) {
        received.add(
            new Received(mail, path(mail), List.copyOf(recipients), content, number, secure));
      }
      forget();
      return perform(end, "250 2.0.0 Ok: taken");
    }

    private void forget() {
      mail = "";
      recipients.clear();
    }

    private String path(String line) {
      int from = line.indexOf('<');
      int to = line.lastIndexOf('>');
      return from < 0 || to < from ? "" : line.substring(from + 1, to);
    }

    private boolean act(Stage stage, String line, String usual) throws IOException {
      return perform(ask(stage, line), usual);
    }

    // Whoever sees the command may change the script: that counts for the next one.
    private Act ask(Stage stage, String line) {
      Act act = script.at(stage, line, number);
      commands.add(line);
      return act;
    }

    private boolean refused(String line, String reply) throws IOException {
      commands.add(line);
      return say(reply);
    }

    private boolean perform(Act act, String usual) throws IOException {
      return switch (act) {
        case Act.Accept() -> say(usual);
        case Act.Say(String reply) -> say(reply);
        case Act.SayAndDrop(String reply) -> {
          boolean _ = say(reply);
          yield false;
        }
        case Act.Drop() -> false;
        case Act.Hang() -> {
          long _ = in.transferTo(OutputStream.nullOutputStream());
          yield false;
        }
      };
    }

    private boolean say(String reply) throws IOException {
      out.write((reply + "\r\n").getBytes(StandardCharsets.UTF_8));
      out.flush();
      return true;
    }

    private String line() throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      int last = -1;
      while (true) {
        int b = in.read();
        if (b < 0) {
          throw new IOException("end of connection");
        }
        bytes.write(b);
        if (b == '\n' && last == '\r') {
          byte[] line = bytes.toByteArray();
          return new String(line, 0, line.length - 2, StandardCharsets.UTF_8);
        }
        last = b;
      }
    }

    /** Only CRLF.CRLF ends it; only CRLF ends a line. */
    private byte[] content() throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      while (true) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int last = -1;
        while (true) {
          int b = in.read();
          if (b < 0) {
            throw new IOException("end of connection");
          }
          line.write(b);
          if (b == '\n' && last == '\r') {
            break;
          }
          last = b;
        }
        byte[] raw = line.toByteArray();
        if (raw.length == 3 && raw[0] == '.') {
          return bytes.toByteArray();
        }
        int from = raw[0] == '.' ? 1 : 0;
        bytes.write(raw, from, raw.length - from);
      }
    }
  }
}
