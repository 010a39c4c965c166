package net.postern.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Clients that send one byte a second, as a broken network or an attacker does: they hold a session
 * in the middle of a message for as long as they like. A virtual thread for each.
 */
public final class SlowClients implements AutoCloseable {
  private static final Duration PACE = Duration.ofSeconds(1);
  private static final int REPLY_MILLIS = 60_000;

  private final List<Thread> threads = new ArrayList<>();
  private final AtomicInteger sent = new AtomicInteger();
  private final AtomicInteger inContent = new AtomicInteger();
  private final AtomicInteger accepted = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();
  private volatile boolean hurry;
  private volatile boolean closed;

  private SlowClients() {}

  /** Connects, says all up to DATA at once, and from then on sends one byte a second. */
  public static SlowClients start(InetSocketAddress server, int count, String recipient) {
    SlowClients clients = new SlowClients();
    for (int i = 0; i < count; i++) {
      clients.threads.add(
          Thread.ofVirtual().name("slow-" + i).start(() -> clients.run(server, recipient)));
    }
    return clients;
  }

  /** Bytes of content that went out slowly. */
  public int sent() {
    return sent.get();
  }

  /** How many are in the middle of their message. */
  public int inContent() {
    return inContent.get();
  }

  /** How many were cut off, or were not answered as they should. */
  public int failed() {
    return failed.get();
  }

  /** Lets all send the rest at once; returns how many got 250 for their message. */
  public int finish() throws InterruptedException {
    hurry = true;
    for (Thread each : threads) {
      LockSupport.unpark(each);
    }
    for (Thread each : threads) {
      each.join(REPLY_MILLIS);
    }
    return accepted.get();
  }

  @Override
  public void close() {
    closed = true;
    threads.forEach(LockSupport::unpark);
  }

  private void run(InetSocketAddress server, String recipient) {
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(REPLY_MILLIS);
      socket.connect(server, REPLY_MILLIS);
      InputStream in = new BufferedInputStream(socket.getInputStream());
      expect(in, "220");
      for (String command :
          List.of(
              "EHLO slow.example",
              "MAIL FROM:<slow@sender.example>",
              "RCPT TO:<" + recipient + ">")) {
        say(socket, command + "\r\n");
        expect(in, "250");
      }
      say(socket, "DATA\r\n");
      expect(in, "354");
      inContent.incrementAndGet();
      byte[] content =
          ("From: <slow@sender.example>\r\nTo: <" + recipient + ">\r\nSubject: patience\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      for (int at = 0; !closed; at++) {
        if (hurry) {
          say(
              socket,
              at < content.length
                  ? new String(content, at, content.length - at, StandardCharsets.US_ASCII)
                  : "\r\n");
          say(socket, ".\r\n");
          expect(in, "250");
          accepted.incrementAndGet();
          return;
        }
        socket.getOutputStream().write(at < content.length ? content[at] : 'x');
        sent.incrementAndGet();
        LockSupport.parkNanos(PACE.toNanos());
      }
    } catch (IOException e) {
      failed.incrementAndGet();
    }
  }

  private static void say(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static void expect(InputStream in, String code) throws IOException {
    while (true) {
      StringBuilder line = new StringBuilder();
      int b;
      while ((b = in.read()) != '\n') {
        if (b < 0) {
          throw new IOException("cut off");
        }
        line.append((char) b);
      }
      if (!line.toString().startsWith(code)) {
        throw new IOException("expected " + code + ", got " + line);
      }
      if (line.charAt(3) != '-') {
        return;
      }
    }
  }
}
