package net.postern.dns;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Message;
import org.xbill.DNS.io.DefaultIoClientFactory;
import org.xbill.DNS.io.IoClientFactory;
import org.xbill.DNS.io.UdpIoClient;

/**
 * Asks name servers of this machine over sockets that are kept, many questions over each. To open
 * one for each question takes more of the processor than the question; elsewhere that is the price
 * of a random port, which nobody who sends forged answers can know (RFC 5452 §9.2). Forged answers
 * of others do not come from a loopback address, and to a connected socket nobody else can send.
 *
 * <p>A socket has few questions under way at one time, so that its buffer holds all their answers
 * however late they are fetched; there are more sockets as they are needed. Those that nobody needs
 * are closed, and those over which an answer did not come: a server of several processes may have
 * one that hangs, and which one gets a packet depends on the socket. What finds no room is asked as
 * elsewhere. One thread fetches all answers. Safe for many threads.
 */
final class LoopbackUdp implements UdpIoClient {
  private static final Logger LOG = LoggerFactory.getLogger(LoopbackUdp.class);

  /** Questions under way over one socket. */
  static final int ROOM = 64;

  /** Sockets for one server. */
  static final int MAX_SOCKETS = 32;

  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LOOK_MILLIS = 10_000;
  private static final int MAX_PACKET = 65_535;
  private static final int HEADER = 12;

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** One for all servers. */
  private static final LoopbackUdp SHARED = new LoopbackUdp();

  private static final IoClientFactory FACTORY =
      new DefaultIoClientFactory() {
        @Override
        public UdpIoClient createOrGetUdpClient() {
          return SHARED;
        }
      };

  private final UdpIoClient elsewhere = new DefaultIoClientFactory().createOrGetUdpClient();
  private final Map<InetSocketAddress, List<Lane>> lanes = new ConcurrentHashMap<>();
  private final ByteBuffer packet = ByteBuffer.allocateDirect(MAX_PACKET);
  private final Selector selector;

  private LoopbackUdp() {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().daemon().name("dns-udp").start(this::fetch);
  }

  /** For servers that have loopback addresses, and no others. */
  static IoClientFactory factory() {
    return FACTORY;
  }

  /** Sockets that are open now. */
  static int open(InetSocketAddress server) {
    return SHARED.lanes.getOrDefault(server, List.of()).size();
  }

  /** Closes sockets that nobody has used for a while. */
  static void tidy(long now) {
    SHARED.closeIdle(now);
  }

  /** One socket, and who waits for an answer over it, by the question's id. */
  private static final class Lane {
    private static final int CLOSED = Integer.MAX_VALUE / 2;

    private final DatagramChannel channel;
    private final Map<Integer, CompletableFuture<byte[]>> waiting = new ConcurrentHashMap<>();
    private final AtomicInteger used = new AtomicInteger();
    private volatile long usedAt = System.nanoTime();
    private volatile boolean retired;
    private volatile Optional<CompletableFuture<byte[]>> lastSent = Optional.empty();

    Lane(DatagramChannel channel) {
      this.channel = channel;
    }

    boolean enter(int id, CompletableFuture<byte[]> answer) {
      if (retired) {
        return false;
      }
      if (used.incrementAndGet() > ROOM || waiting.putIfAbsent(id, answer) != null) {
        used.decrementAndGet();
        return false;
      }
      usedAt = System.nanoTime();
      return true;
    }

    void leave(int id, CompletableFuture<byte[]> answer) {
      waiting.remove(id, answer);
      used.decrementAndGet();
    }

    // A packet that the kernel does not take is as lost as one on its way.
    void send(byte[] packet, CompletableFuture<byte[]> answer) {
      lastSent = Optional.of(answer);
      try {
        try {
          channel.write(ByteBuffer.wrap(packet));
        } catch (PortUnreachableException e) {
          // Said of an earlier one; this one was not sent.
          channel.write(ByteBuffer.wrap(packet));
        }
      } catch (IOException e) {
        answer.completeExceptionally(e);
      }
    }

    // On loopback it is said as soon as a packet is sent, so it is said of the last one. What was
    // sent before may have been lost too, and is sent again in its time.
    void unreachable(IOException why) {
      lastSent.ifPresent(each -> each.completeExceptionally(why));
    }

    /** True when nobody uses it, and nobody will. */
    boolean end() {
      return used.compareAndSet(0, CLOSED);
    }
  }

  @Override
  public CompletableFuture<byte[]> sendAndReceiveUdp(
      InetSocketAddress local,
      InetSocketAddress server,
      Message question,
      byte[] packet,
      int max,
      Duration timeout) {
    int id = question.getHeader().getID();
    CompletableFuture<byte[]> answer = new CompletableFuture<>();
    Optional<Lane> entered = enter(server, id, answer);
    if (entered.isEmpty()) {
      return elsewhere.sendAndReceiveUdp(local, server, question, packet, max, timeout);
    }
    Lane lane = entered.get();
    CompletableFuture<byte[]> ended =
        answer
            .orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS)
            .whenComplete(
                (bytes, failure) -> {
                  lane.leave(id, answer);
                  if (failure instanceof TimeoutException) {
                    lane.retired = true;
                  }
                  if (lane.retired) {
                    closeUnused(server, lane);
                  }
                });
    lane.send(packet, answer);
    return ended;
  }

  private Optional<Lane> enter(InetSocketAddress server, int id, CompletableFuture<byte[]> answer) {
    List<Lane> open = lanes.computeIfAbsent(server, each -> new CopyOnWriteArrayList<>());
    Optional<Lane> found = first(open, id, answer);
    if (found.isPresent()) {
      return found;
    }
    synchronized (open) {
      found = first(open, id, answer);
      if (found.isPresent() || open.size() >= MAX_SOCKETS) {
        return found;
      }
      try {
        DatagramChannel channel = DatagramChannel.open();
        Lane lane = new Lane(channel);
        try {
          channel.connect(server);
          if (channel.getLocalAddress().equals(channel.getRemoteAddress())) {
            // Nobody listens there, and the kernel gave us the server's own port.
            throw new IOException("connected to itself");
          }
          channel.configureBlocking(false);
          lane.enter(id, answer);
          channel.register(selector, SelectionKey.OP_READ, lane);
        } catch (IOException e) {
          channel.close();
          throw e;
        }
        open.add(lane);
        selector.wakeup();
        return Optional.of(lane);
      } catch (IOException e) {
        // Out of files, perhaps: asked as elsewhere, that one has its own words for it.
        return Optional.empty();
      }
    }
  }

  private static Optional<Lane> first(List<Lane> open, int id, CompletableFuture<byte[]> answer) {
    // Not always the same one first: all would go to one process of the server.
    List<Lane> now = List.copyOf(open);
    int begin = now.isEmpty() ? 0 : ThreadLocalRandom.current().nextInt(now.size());
    for (int i = 0; i < now.size(); i++) {
      Lane lane = now.get((begin + i) % now.size());
      if (lane.enter(id, answer)) {
        return Optional.of(lane);
      }
    }
    return Optional.empty();
  }

  private void fetch() {
    long looked = System.nanoTime();
    while (true) {
      try {
        selector.select(key -> fetch((Lane) key.attachment()), LOOK_MILLIS);
        long now = System.nanoTime();
        if (now - looked > TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)) {
          looked = now;
          closeIdle(now);
        }
      } catch (IOException | RuntimeException | Error e) {
        LOG.warn("answers of the name server cannot be fetched for a moment", e);
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private void fetch(Lane lane) {
    try {
      while (true) {
        packet.clear();
        if (lane.channel.read(packet) <= 0) {
          return;
        }
        packet.flip();
        if (packet.limit() < HEADER) {
          continue;
        }
        CompletableFuture<byte[]> answer = lane.waiting.get(packet.getShort(0) & 0xffff);
        if (answer != null) {
          byte[] bytes = new byte[packet.limit()];
          packet.get(bytes);
          answer.complete(bytes);
        }
      }
    } catch (IOException e) {
      lane.unreachable(e);
    }
  }

  private void closeIdle(long now) {
    lanes.forEach(
        (server, open) ->
            open.stream()
                .filter(each -> now - each.usedAt > IDLE_NANOS)
                .toList()
                .forEach(idle -> closeUnused(server, idle)));
  }

  private void closeUnused(InetSocketAddress server, Lane lane) {
    if (lane.end()) {
      lanes.getOrDefault(server, List.of()).remove(lane);
      try {
        lane.channel.close();
      } catch (IOException e) {
        LOG.debug("a socket to the name server did not close", e);
      }
    }
  }
}
