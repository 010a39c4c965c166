package net.postern.testkit;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Stands before a UDP server and does to its packets what a test says. One virtual thread for each
 * packet that is under way. As on any way of UDP, packets of a large burst may be lost.
 */
public final class UdpProxy implements AutoCloseable {
  private static final int MAX_PACKET = 65_535;
  private static final int BUFFER = 4 << 20;
  private static final int ANSWER_MILLIS = 20_000;

  /** What becomes of a packet. */
  public enum Mood {
    /** It goes to the server, and the answer back. */
    PASS,
    /** Nothing comes back. */
    DROP,
    /** The answer comes back late. */
    DELAY,
    /** What comes back has the question's id and is noise otherwise. */
    GARBAGE
  }

  private final DatagramSocket socket;
  private final InetSocketAddress server;
  private final AtomicInteger packets = new AtomicInteger();
  private final AtomicInteger underWay = new AtomicInteger();
  private final AtomicInteger mostUnderWay = new AtomicInteger();
  private volatile Mood mood = Mood.PASS;
  private volatile Duration delay = Duration.ofMillis(300);

  /** Starts one before a server. */
  public UdpProxy(InetSocketAddress server) throws IOException {
    this.server = server;
    this.socket = new DatagramSocket(0, InetAddress.ofLiteral("127.0.0.1"));
    socket.setReceiveBufferSize(BUFFER);
    // Not one of the threads that all tests share: what is not fetched in time is lost.
    Thread.ofPlatform().daemon().name("udp-proxy").start(this::serve);
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), socket.getLocalPort());
  }

  /** Does this to every packet that comes from now on. */
  public void mood(Mood next) {
    mood = next;
  }

  /** How late answers are that are delayed. */
  public void delay(Duration next) {
    delay = next;
  }

  /** Packets that came for the server so far. */
  public int packets() {
    return packets.get();
  }

  /** Most packets that were under way at one time. */
  public int mostUnderWay() {
    return mostUnderWay.get();
  }

  @Override
  public void close() {
    socket.close();
  }

  private void serve() {
    byte[] buffer = new byte[MAX_PACKET];
    while (!socket.isClosed()) {
      try {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        // Before it is counted: who changes the mood after it was seen to come does not mean it.
        Mood now = mood;
        packets.incrementAndGet();
        byte[] question = Arrays.copyOf(packet.getData(), packet.getLength());
        SocketAddress client = packet.getSocketAddress();
        Thread.ofVirtual().start(() -> answer(now, question, client));
      } catch (IOException e) {
        // Closed, or a client's port is gone already.
      }
    }
  }

  private void answer(Mood now, byte[] question, SocketAddress client) {
    mostUnderWay.accumulateAndGet(underWay.incrementAndGet(), Math::max);
    try {
      switch (now) {
        case PASS -> send(ask(question), client);
        case DROP -> {}
        case DELAY -> {
          byte[] answer = ask(question);
          long end = System.nanoTime() + delay.toNanos();
          while (System.nanoTime() - end < 0 && !socket.isClosed()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
          }
          send(answer, client);
        }
        case GARBAGE -> {
          byte[] noise = new byte[60];
          new Random(question.length).nextBytes(noise);
          System.arraycopy(question, 0, noise, 0, Math.min(2, question.length));
          send(noise, client);
        }
      }
    } catch (IOException e) {
      // As if it had been lost.
    } finally {
      underWay.decrementAndGet();
    }
  }

  private byte[] ask(byte[] question) throws IOException {
    try (DatagramSocket out = new DatagramSocket()) {
      out.connect(server);
      out.setSoTimeout(ANSWER_MILLIS);
      out.send(new DatagramPacket(question, question.length));
      DatagramPacket answer = new DatagramPacket(new byte[MAX_PACKET], MAX_PACKET);
      out.receive(answer);
      return Arrays.copyOf(answer.getData(), answer.getLength());
    }
  }

  private void send(byte[] answer, SocketAddress client) throws IOException {
    socket.send(new DatagramPacket(answer, answer.length, client));
  }
}
