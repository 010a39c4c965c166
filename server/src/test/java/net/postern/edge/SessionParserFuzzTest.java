package net.postern.edge;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketImpl;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import net.postern.address.EmailAddress;
import net.postern.edge.check.Checks;
import net.postern.id.MessageId;
import net.postern.intake.IntakeResult;
import org.slf4j.LoggerFactory;

/**
 * The whole session over a wire in memory, many thousand dialogues a second: whatever bytes come,
 * in whatever pieces, it ends, answers with well-formed replies, gives intake nothing with a lone
 * CR, LF or NUL, nothing twice, and gives back all memory. Run with JAZZER_FUZZ=1 to search for ten
 * million inputs; otherwise the stored ones are tried. {@link SessionFuzzTest} does the same over
 * real sockets.
 */
class SessionParserFuzzTest {
  private static final int MAX_MESSAGE = 100_000;

  static {
    // The search soon finds the address at which the directory throws, and asks for it for ever.
    if (System.getenv("JAZZER_FUZZ") != null
        && LoggerFactory.getLogger(RcptVerb.class) instanceof Logger logger) {
      logger.setLevel(Level.OFF);
    }
  }

  private final List<byte[]> taken = new ArrayList<>();
  private final ReceiveMemory memory = new ReceiveMemory(1 << 20);
  private final EdgeContext context = context();

  private EdgeContext context() {
    TestEdge.Settings settings = new TestEdge.Settings();
    settings.maxMessage = MAX_MESSAGE;
    settings.softErrors = 10_000;
    settings.hardErrors = 10_000;
    TestDirectory directory = new TestDirectory();
    return new EdgeContext(
        settings.config(),
        TestEdge.HOSTNAME,
        new EmailAddress("postmaster", TestEdge.HOSTNAME),
        directory,
        Checks.inOrder(Checks.Parts.of(directory)),
        (envelope, content) -> {
          taken.add(content);
          return new IntakeResult.Accepted(MessageId.create());
        },
        event -> {},
        InstantSource.system(),
        () -> {
          throw new IllegalStateException("no TLS here");
        },
        memory,
        new Tarpit(1, new CountDownLatch(1)),
        new CountDownLatch(1),
        Optional.empty(),
        Checks.inOrder(Checks.Parts.of(directory)));
  }

  @FuzzTest(maxDuration = "180m", maxExecutions = 10_000_000)
  void session(byte[] bytes) throws IOException {
    taken.clear();
    // The first byte says into which pieces the network cut the rest.
    int piece = bytes.length == 0 || bytes[0] == 0 ? Integer.MAX_VALUE : bytes[0] & 0xff;
    Wire wire = new Wire(bytes, piece);
    new SmtpSession(
            context, Service.MX, new Connection(wire, 1_000_000_000L), wire.getInetAddress())
        .run();
    checkReplies(wire.sent.toString(StandardCharsets.ISO_8859_1));
    int accepted = 0;
    int at = -1;
    String replies = wire.sent.toString(StandardCharsets.ISO_8859_1);
    while ((at = replies.indexOf("Ok: queued as ", at + 1)) >= 0) {
      accepted++;
    }
    require(accepted == taken.size(), "messages and their 250s differ");
    for (byte[] content : taken) {
      require(content.length <= MAX_MESSAGE, "too large");
      checkLineEnds(content);
    }
    require(memory.used() == 0, "memory is kept");
  }

  // Each line is a code, then a space or a hyphen, then what can be printed; CRLF ends it.
  private static void checkReplies(String sent) {
    require(sent.startsWith("220 "), "no greeting: " + sent);
    require(sent.endsWith("\r\n"), "a reply without its end");
    for (String line : sent.substring(0, sent.length() - 2).split("\r\n", -1)) {
      boolean good =
          line.length() >= 4
              && line.charAt(0) >= '2'
              && line.charAt(0) <= '5'
              && (line.charAt(3) == ' ' || line.charAt(3) == '-')
              && line.length() <= 510
              && line.chars().allMatch(c -> c >= 0x20 && c < 0x7f);
      require(good, "no reply: " + line);
    }
  }

  private static void checkLineEnds(byte[] content) {
    for (int i = 0; i < content.length; i++) {
      boolean lone =
          (content[i] == '\n' && (i == 0 || content[i - 1] != '\r'))
              || (content[i] == '\r' && (i + 1 == content.length || content[i + 1] != '\n'))
              || content[i] == 0;
      require(!lone, "intake got a lone line end or NUL");
    }
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError(what);
    }
  }

  /** A client that sends bytes in pieces and keeps the replies. */
  private static final class Wire extends Socket {
    final ByteArrayOutputStream sent = new ByteArrayOutputStream();
    private final InputStream in;

    Wire(byte[] bytes, int piece) throws IOException {
      super((SocketImpl) null);
      this.in =
          new ByteArrayInputStream(
              bytes, Math.min(1, bytes.length), Math.max(0, bytes.length - 1)) {
            @Override
            public synchronized int read(byte[] into, int offset, int length) {
              return super.read(into, offset, Math.min(length, piece));
            }
          };
    }

    @Override
    public InputStream getInputStream() {
      return in;
    }

    @Override
    public OutputStream getOutputStream() {
      return sent;
    }

    @Override
    public InetAddress getInetAddress() {
      return InetAddress.getLoopbackAddress();
    }

    @Override
    public void shutdownInput() {}

    @Override
    public void shutdownOutput() {}

    @Override
    public void close() {}
  }
}
