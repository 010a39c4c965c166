package net.postern.testkit;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for programs that cannot be told to take a free one by themselves. */
public final class Ports {
  private static final int FIRST = 20_000;

  /** Linux gives from 32768 on to whoever connects or sends and has not asked for a port. */
  private static final int END = 32_000;

  private static final int TRIES = 500;
  private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private Ports() {}

  /**
   * A port of 127.0.0.1 that is free for UDP and TCP and that this JVM has not been given before.
   * Between now and its use nobody gets it by chance: it is below those that the kernel gives out.
   */
  public static int free() {
    for (int i = 0; i < TRIES; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, END);
      if (GIVEN.add(port) && isFree(port)) {
        return port;
      }
    }
    throw new IllegalStateException("no port is free");
  }

  private static boolean isFree(int port) {
    try (ServerSocket tcp = new ServerSocket(port, 1, LOOPBACK);
        DatagramSocket udp = new DatagramSocket(port, LOOPBACK)) {
      return tcp.isBound() && udp.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
