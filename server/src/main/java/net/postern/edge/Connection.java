package net.postern.edge;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import net.postern.edge.check.Connect;
import net.postern.proxy.ProxyHeader;
import net.postern.smtp.Reply;

/**
 * The wire to one client: replies that are held back until the client has to be waited for, and
 * deadlines.
 *
 * <p>Replies go out in one write when more input is needed and not before, which is what PIPELINING
 * asks for (RFC 2920 §3.2). Used by the session's thread; only {@link #expireAt}, {@link #wake} and
 * {@link #cut} may be called by others.
 *
 * <p>A deadline costs two volatile writes for each wait: the {@link Watchdog} looks at it from
 * outside and ends a wait that is over by shutting the socket's input down. That wakes the reader
 * with an end of stream while replies can still be written: for a few seconds, for a client that
 * does not read them is not waited for a second time.
 */
final class Connection extends InputStream {
  private static final byte[] EMPTY = {};

  /** Replies held back before they are written anyway. */
  private static final int MAX_HELD_BACK = 16 * 1024;

  /** Bytes taken from a client that is being sent away, so that it gets to read why. */
  private static final int MAX_LINGER_BYTES = 64 * 1024;

  /** Bytes, and reads, after which a client that never lets us wait gives way to others. */
  private static final int FAIR_BYTES = 64 * 1024;

  private static final int FAIR_READS = 16;

  private static final long LINGER_NANOS = 1_000_000_000L;

  /** Once a deadline has passed, how long a client may take for our last word. */
  private static final long LAST_WORD_NANOS = 3_000_000_000L;

  private final Socket socket;
  private InputStream in;
  private OutputStream out;
  private String tls = "";
  private String certificate = "";
  private Map<String, byte[]> bindings = Map.of();
  private byte[] heldBack = EMPTY;
  private int heldBackLength;
  private int readsInTurn;
  private int bytesInTurn;
  private long hardDeadline = Ticks.NEVER;
  private long silenceNanos = Ticks.NEVER;
  private final long writeNanos;
  private volatile long deadline = Ticks.NEVER;
  private volatile boolean writing;
  private volatile boolean expired;
  private volatile long expiredAt;

  /** An octet that came before the greeting; -1 when there is none. */
  private int early = -1;

  /**
   * @param writeNanos longest time for the client to take a reply
   */
  Connection(Socket socket, long writeNanos) throws IOException {
    this.socket = socket;
    this.writeNanos = writeNanos;
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
  }

  /** Address of the other end of the socket; behind a proxy, the proxy's. */
  InetAddress client() {
    return socket.getInetAddress();
  }

  /** SHA-256 of the certificate that the client proved to have, hexadecimal; may be empty. */
  String certificate() {
    return certificate;
  }

  /**
   * What identifies this TLS connection, by the name of its type (RFC 5929, RFC 9266); empty
   * without TLS, and with one that offers none.
   */
  Map<String, byte[]> bindings() {
    return bindings;
  }

  /** Reads what a proxy says before everything else, within a time. */
  ProxyHeader readProxyHeader(long until) throws IOException {
    bound(until, Ticks.NEVER);
    return ProxyHeader.read(this);
  }

  /** Protocol and cipher suite, empty on a plain connection. */
  String tls() {
    return tls;
  }

  /** Whether a deadline has passed; reads see the end of the stream then. */
  boolean expired() {
    return expired;
  }

  /**
   * Bounds the waits that follow.
   *
   * @param hardDeadline in {@link Ticks}
   * @param silenceNanos longest single wait
   */
  void bound(long hardDeadline, long silenceNanos) {
    this.hardDeadline = hardDeadline;
    this.silenceNanos = silenceNanos;
  }

  /** Adds a reply; it is written when input is next waited for, or by {@link #flush}. */
  void reply(Reply reply) throws IOException {
    byte[] bytes = reply.toBytes();
    if (heldBackLength == 0) {
      heldBack = bytes;
      heldBackLength = bytes.length;
      return;
    }
    if (heldBackLength + bytes.length > heldBack.length) {
      heldBack = Arrays.copyOf(heldBack, Math.max(512, 2 * (heldBackLength + bytes.length)));
    }
    System.arraycopy(bytes, 0, heldBack, heldBackLength, bytes.length);
    heldBackLength += bytes.length;
    if (heldBackLength > MAX_HELD_BACK) {
      flush();
    }
  }

  void flush() throws IOException {
    if (heldBackLength == 0) {
      return;
    }
    byte[] bytes = heldBack;
    int length = heldBackLength;
    heldBack = EMPTY;
    heldBackLength = 0;
    writing = true;
    deadline = Ticks.now() + (expired ? Math.min(LAST_WORD_NANOS, writeNanos) : writeNanos);
    try {
      out.write(bytes, 0, length);
    } finally {
      deadline = Ticks.NEVER;
      writing = false;
    }
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    flush();
    if (expired) {
      return -1;
    }
    if (early >= 0 && length > 0) {
      into[offset] = (byte) early;
      early = -1;
      return 1;
    }
    long now = Ticks.now();
    deadline =
        silenceNanos < hardDeadline && now < hardDeadline - silenceNanos
            ? now + silenceNanos
            : hardDeadline;
    try {
      int n = in.read(into, offset, length);
      giveWay(n);
      return n;
    } finally {
      deadline = Ticks.NEVER;
    }
  }

  // Virtual threads are not interrupted by a scheduler: a client whose bytes are always there
  // already would keep a processor for itself.
  private void giveWay(int bytes) {
    bytesInTurn += bytes;
    readsInTurn++;
    if (bytesInTurn >= FAIR_BYTES || readsInTurn >= FAIR_READS) {
      bytesInTurn = 0;
      readsInTurn = 0;
      Thread.yield();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  /**
   * Waits for the client to say something before it was greeted. What it says is read later as if
   * nothing had happened. Inside TLS the client had to speak first, so that it cannot be told.
   */
  Connect.Heard listen(Duration wait) {
    if (!tls.isEmpty()) {
      return Connect.Heard.END;
    }
    try {
      socket.setSoTimeout(Math.clamp(wait.toMillis(), 1, Integer.MAX_VALUE));
      try {
        early = in.read();
        return early < 0 ? Connect.Heard.END : Connect.Heard.SPEECH;
      } catch (SocketTimeoutException e) {
        return Connect.Heard.NOTHING;
      } finally {
        socket.setSoTimeout(0);
      }
    } catch (IOException e) {
      return Connect.Heard.END;
    }
  }

  /** Octets that can be read without waiting. */
  @Override
  public int available() throws IOException {
    return (early >= 0 ? 1 : 0) + in.available();
  }

  /**
   * Speaks TLS from now on (RFC 3207 §4). Nothing may be held back or buffered.
   *
   * @throws IOException when the handshake fails or takes longer than a command may
   */
  void startTls(
      SSLContext context, Service service, boolean askForCertificate, long handshakeDeadline)
      throws IOException {
    SSLSocket secure =
        (SSLSocket) context.getSocketFactory().createSocket(socket, null, socket.getPort(), true);
    secure.setUseClientMode(false);
    TlsPolicy.apply(secure, service, askForCertificate);
    deadline = handshakeDeadline;
    try {
      secure.startHandshake();
    } finally {
      deadline = Ticks.NEVER;
    }
    in = secure.getInputStream();
    out = secure.getOutputStream();
    tls = secure.getSession().getProtocol() + " " + secure.getSession().getCipherSuite();
    certificate = askForCertificate ? TlsBinding.clientCertificate(secure.getSession()) : "";
    bindings = service.submission() ? TlsBinding.of(secure.getSession()) : Map.of();
  }

  /** Ends the current wait if its deadline has passed. Any thread. */
  void expireAt(long now) {
    long until = deadline;
    if (now < until) {
      return;
    }
    if (!expired) {
      // The deadline itself may be long past: it stood while something else was done.
      expiredAt = now;
      expired = true;
    }
    // A read that does not end with its input waits for something else: inside TLS it may write.
    if (writing || now - expiredAt >= LAST_WORD_NANOS) {
      cut();
    } else {
      wake();
    }
  }

  /** Makes the current and every further read see the end of the stream. Any thread. */
  void wake() {
    try {
      if (!socket.isInputShutdown()) {
        socket.shutdownInput();
      }
    } catch (IOException e) {
      cut();
    }
  }

  /** Ends everything at once. Any thread. */
  void cut() {
    try {
      socket.close();
    } catch (IOException e) {
      // Closed is all that was wanted.
    }
  }

  /**
   * Writes what is held back and closes. A socket that is closed with input unread sends a reset,
   * which can overtake the last reply; so after a refusal input is read for a moment first.
   *
   * @param linger whether the client may still be sending
   */
  void finish(boolean linger) {
    try {
      flush();
      if (linger && !expired) {
        deadline = Ticks.now() + LINGER_NANOS;
        socket.shutdownOutput();
        byte[] sink = new byte[2048];
        int total = 0;
        int n;
        while (total < MAX_LINGER_BYTES && (n = socket.getInputStream().read(sink)) >= 0) {
          total += n;
        }
      } else if (!tls.isEmpty() && !expired) {
        // RFC 8446 §6.1: close_notify tells the client that nothing was cut off.
        deadline = Ticks.now() + LINGER_NANOS;
        writing = true;
        out.close();
      }
    } catch (IOException e) {
      // The client has gone; there is nobody left to tell.
    } finally {
      cut();
    }
  }

  @Override
  public void close() {
    cut();
  }
}
