package net.postern.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports of loopback. */
final class Ports {
  private static final int FIRST = 20_000;

  /** Below the ports that Linux gives to whoever connects, from 32768 on. */
  private static final int END = 32_000;

  private static final int TRIES = 100;
  private static final int CONNECT_MILLIS = 1_000;

  private Ports() {}

  /** A port that is free now, and that the kernel gives to nobody who has not asked for it. */
  static int free() throws BenchException {
    for (int i = 0; i < TRIES; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, END);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException e) {
        // Another one then.
      }
    }
    throw new BenchException("no free port on loopback");
  }

  static boolean answers(int port) {
    return answers(InetAddress.getLoopbackAddress().getHostAddress(), port);
  }

  static boolean answers(String address, int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral(address), port), CONNECT_MILLIS);
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
