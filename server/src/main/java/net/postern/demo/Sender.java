package net.postern.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import net.postern.smtp.Reply;
import net.postern.smtp.client.ConnectResult;
import net.postern.smtp.client.OutgoingMail;
import net.postern.smtp.client.RecipientOutcome;
import net.postern.smtp.client.SmtpClientConfig;
import net.postern.smtp.client.SmtpConnection;
import net.postern.smtp.client.SmtpConnector;
import net.postern.smtp.client.TlsMode;

/** Sends samples to the node over SMTP, each on a connection of its own. One thread. */
final class Sender implements AutoCloseable {
  private static final String HELO = "mail.sender.example";
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration QUIT_LIMIT = Duration.ofSeconds(5);

  private final InetSocketAddress node;
  private final SmtpConnector connector =
      new SmtpConnector(SmtpClientConfig.of(HELO, LIMIT, LIMIT));

  Sender(InetSocketAddress node) {
    this.node = node;
  }

  /**
   * What the node said.
   *
   * @param text code and text of the reply that decided; where the recipients got different ones,
   *     all of them
   * @param stage the command that it answered
   */
  record Said(String text, String stage) {}

  /**
   * Sends one and waits for the node's word on it.
   *
   * @throws IOException when there is no conversation, or the node breaks the rules of it
   */
  Said send(Sample sample) throws IOException {
    return sample.hostile().isPresent()
        ? sendAsItIs(sample, sample.hostile().getAsLong())
        : sendProperly(sample);
  }

  private Said sendProperly(Sample sample) throws IOException {
    SmtpConnection connection =
        switch (connector.connect(node, node.getHostString(), TlsMode.OPPORTUNISTIC, LIMIT)) {
          case ConnectResult.Connected(SmtpConnection open) -> open;
          case ConnectResult.Refused(var reply, String stage) ->
              throw new IOException("the node refused the connection at " + stage + ": " + reply);
          case ConnectResult.Failed(String why) ->
              throw new IOException("no connection to the node: " + why);
          case ConnectResult.Untrusted(String why) ->
              throw new IOException("no connection to the node: " + why);
        };
    try {
      OutgoingMail mail =
          new OutgoingMail(Optional.of(sample.from()), sample.to(), sample.content(), false);
      List<Said> said = connection.send(mail, LIMIT).stream().map(Sender::said).distinct().toList();
      return said.size() == 1
          ? said.getFirst()
          : new Said(said.stream().map(Said::text).collect(Collectors.joining(" | ")), "several");
    } finally {
      connection.quit(QUIT_LIMIT);
    }
  }

  private static Said said(RecipientOutcome outcome) {
    return switch (outcome) {
      case RecipientOutcome.Replied(var reply, RecipientOutcome.Stage stage) ->
          new Said(
              reply.toString(),
              switch (stage) {
                case MAIL -> "MAIL";
                case RCPT -> "RCPT";
                case DATA -> "DATA";
                case END_OF_DATA -> "end of data";
              });
      case RecipientOutcome.Lost lost -> new Said("(no reply: " + lost.why() + ")", "connection");
      case RecipientOutcome.Unsendable no -> new Said("(not sent: " + no.why() + ")", "client");
    };
  }

  /** As a client without manners does: whatever the node offered, the bytes go as they are. */
  private Said sendAsItIs(Sample sample, long announced) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(node, (int) LIMIT.toMillis());
      socket.setSoTimeout((int) LIMIT.toMillis());
      Wire wire = new Wire(socket);
      wire.reply();
      wire.say("EHLO " + HELO);
      Reply mail = wire.say("MAIL FROM:<" + sample.from() + "> SIZE=" + announced);
      if (!mail.positive()) {
        return wire.quit(new Said(mail.toString(), "MAIL"));
      }
      for (var recipient : sample.to()) {
        Reply reply = wire.say("RCPT TO:<" + recipient + ">");
        if (!reply.positive()) {
          return wire.quit(new Said(reply.toString(), "RCPT"));
        }
      }
      Reply data = wire.say("DATA");
      if (!data.intermediate()) {
        return wire.quit(new Said(data.toString(), "DATA"));
      }
      wire.write(sample.content());
      return wire.quit(new Said(wire.reply().toString(), "end of data"));
    }
  }

  /** A connection that hides nothing. */
  private static final class Wire {
    private final BufferedReader in;
    private final OutputStream out;

    Wire(Socket socket) throws IOException {
      this.in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      this.out = socket.getOutputStream();
    }

    void write(byte[] bytes) throws IOException {
      out.write(bytes);
      out.flush();
    }

    Reply say(String command) throws IOException {
      write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
      return reply();
    }

    Reply reply() throws IOException {
      Reply.Collector collector = new Reply.Collector();
      while (true) {
        String line = in.readLine();
        if (line == null) {
          throw new IOException("the node closed the connection without a reply");
        }
        if (collector.add(line)) {
          return collector.reply();
        }
      }
    }

    // The reply to QUIT is the proof that the content was one message for the node, and not also
    // commands: their replies would come first.
    Said quit(Said said) throws IOException {
      Reply bye = say("QUIT");
      if (bye.code() != 221) {
        throw new IOException("the node took content for commands; it answered QUIT with " + bye);
      }
      return said;
    }
  }

  @Override
  public void close() {
    connector.close();
  }
}
