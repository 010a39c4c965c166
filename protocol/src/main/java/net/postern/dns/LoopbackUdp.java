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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
 * however late they are fetched; there are more sockets as they are needed, and those that nobody
 * needs are closed. What finds no room is asked as elsewhere. One thread fetches all answers. Safe
 * for many threads.
 */
final class LoopbackUdp implements UdpIoClient {
  /** Questions under way over one socket. */
  static final int ROOM = 64;

  /** Sockets for one server. */
  static final int MAX_SOCKETS = 32;

  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LOOK_MILLIS = 10_000;
  private static final int MAX_PACKET = 65_535;
  private static final int HEADER = 12;

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
  private final Selector selector;

  private LoopbackUdp() {
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().daemon().name("dns-udp").start(this::fetch);
  }

  /** How a server is asked; empty for one that is not of this machine. */
  static Optional<IoClientFactory> of(InetSocketAddress server) {
    return server.getAddress() != null && server.getAddress().isLoopbackAddress()
        ? Optional.of(FACTORY)
        : Optional.empty();
  }

  /** Sockets that are open now. */
  static int open(InetSocketAddress server) {
    return SHARED.lanes.getOrDefault(server, List.of()).size();
  }

  /** Closes sockets that nobody has used for a while. */
  static void tidy(long now) throws IOException {
    SHARED.closeIdle(now);
  }

  /** One socket, and who waits for an answer over it, by the question's id. */
  private static final class Lane {
    private static final int CLOSED = Integer.MAX_VALUE / 2;

    private final DatagramChannel channel;
    private final Map<Integer, CompletableFuture<byte[]>> waiting = new ConcurrentHashMap<>();
    private final AtomicInteger used = new AtomicInteger();
    private volatile long usedAt = System.nanoTime();

    Lane(DatagramChannel channel) {
      this.channel = channel;
    }

    boolean enter(int id, CompletableFuture<byte[]> answer) {
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

    void fail(IOException why) {
      waiting.values().forEach(each -> each.completeExceptionally(why));
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
            .whenComplete((bytes, failure) -> lane.leave(id, answer));
    try {
      // A packet that the kernel does not take is as lost as one on its way.
      lane.channel.write(ByteBuffer.wrap(packet));
    } catch (PortUnreachableException e) {
      // Said of an earlier one: nobody listens to any of them.
      lane.fail(e);
    } catch (IOException e) {
      answer.completeExceptionally(e);
    }
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
    for (Lane lane : open) {
      if (lane.enter(id, answer)) {
        return Optional.of(lane);
      }
    }
    return Optional.empty();
  }

  private void fetch() {
    ByteBuffer packet = ByteBuffer.allocateDirect(MAX_PACKET);
    long looked = System.nanoTime();
    while (true) {
      try {
        selector.select(key -> fetch((Lane) key.attachment(), packet), LOOK_MILLIS);
        long now = System.nanoTime();
        if (now - looked > TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)) {
          looked = now;
          closeIdle(now);
        }
      } catch (IOException | RuntimeException e) {
        // Of one socket or answer; those of others come on.
      }
    }
  }

  private static void fetch(Lane lane, ByteBuffer packet) {
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
      lane.fail(e);
    }
  }

  private void closeIdle(long now) throws IOException {
    for (List<Lane> open : lanes.values()) {
      List<Lane> idle = open.stream().filter(each -> now - each.usedAt > IDLE_NANOS).toList();
      for (Lane lane : idle) {
        if (lane.end()) {
          open.remove(lane);
          lane.channel.close();
        }
      }
    }
  }
}
