package net.postern.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Many SMTP connections that have been greeted, have said EHLO, and then say nothing. Each costs
 * this side one channel and no thread. Connections come from several loopback addresses, so that
 * ephemeral ports do not run out. Needs twice as many file descriptors as connections when the
 * server is in the same process. One thread at a time.
 */
public final class IdleConnections implements AutoCloseable {
  private static final int PER_SOURCE = 5000;
  private static final ByteBuffer EHLO =
      ByteBuffer.wrap("EHLO idle.example\r\n".getBytes(StandardCharsets.US_ASCII));

  private final List<SocketChannel> channels = new ArrayList<>();

  /**
   * Opens connections and waits until each was greeted and its EHLO answered.
   *
   * @param server on loopback (127.0.0.1)
   * @param patience for all together
   * @throws IOException when one is refused, closed, or not answered in time
   */
  public static IdleConnections open(InetSocketAddress server, int count, Duration patience)
      throws IOException {
    IdleConnections idle = new IdleConnections();
    long end = System.nanoTime() + patience.toNanos();
    try {
      for (int i = 0; i < count; i++) {
        idle.channels.add(connect(server, i));
        idle.await(i, "220 ", end);
        idle.channels.get(i).write(EHLO.duplicate());
      }
      for (int i = 0; i < count; i++) {
        idle.await(i, "250 ", end);
      }
      return idle;
    } catch (IOException | RuntimeException e) {
      idle.close();
      throw e;
    }
  }

  /** How many the server has not closed and has said nothing more to. */
  public int alive() throws IOException {
    int alive = 0;
    ByteBuffer in = ByteBuffer.allocate(256);
    for (SocketChannel channel : channels) {
      in.clear();
      if (channel.read(in) == 0) {
        alive++;
      }
    }
    return alive;
  }

  /** Sends NOOP on every one and counts the answers {@code 250}. */
  public int answering(Duration patience) throws IOException {
    long end = System.nanoTime() + patience.toNanos();
    byte[] noop = "NOOP\r\n".getBytes(StandardCharsets.US_ASCII);
    for (SocketChannel channel : channels) {
      channel.write(ByteBuffer.wrap(noop));
    }
    for (int i = 0; i < channels.size(); i++) {
      await(i, "250 ", end);
    }
    return channels.size();
  }

  @Override
  public void close() {
    for (SocketChannel channel : channels) {
      try {
        channel.close();
      } catch (IOException e) {
        // Closing is all that is left to do.
      }
    }
  }

  private static SocketChannel connect(InetSocketAddress server, int index) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.bind(
          new InetSocketAddress(
              InetAddress.getByAddress(new byte[] {127, 0, 1, (byte) (1 + index / PER_SOURCE)}),
              0));
      channel.connect(server);
      channel.configureBlocking(false);
      return channel;
    } catch (IOException e) {
      channel.close();
      throw new IOException("connection " + index + " failed: " + e.getMessage(), e);
    }
  }

  /** Reads up to the end of a reply whose last line begins so. */
  private void await(int index, String start, long end) throws IOException {
    ByteBuffer in = ByteBuffer.allocate(1024);
    while (true) {
      int n = channels.get(index).read(in);
      String text = new String(in.array(), 0, in.position(), StandardCharsets.US_ASCII);
      int lastLine = text.endsWith("\r\n") ? text.lastIndexOf("\r\n", text.length() - 3) : -3;
      if (lastLine >= -1 && text.startsWith(start, lastLine < 0 ? 0 : lastLine + 2)) {
        return;
      }
      if (n < 0 || !in.hasRemaining()) {
        throw new IOException("connection " + index + " got: " + text);
      }
      if (System.nanoTime() - end > 0) {
        throw new IOException("connection " + index + " was not answered in time, got: " + text);
      }
      if (n == 0) {
        java.util.concurrent.locks.LockSupport.parkNanos(200_000);
      }
    }
  }
}
