package net.postern.edge;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.Locale;
import net.postern.config.HostPort;

/** Opens listening sockets, and says in words why one cannot be opened. */
final class Listener {
  /** Connections that the kernel keeps until they are accepted. */
  private static final int BACKLOG = 1024;

  private Listener() {}

  /**
   * @param key of the configuration that names the address
   */
  static ServerSocket open(HostPort address, String key) {
    InetAddress host;
    try {
      host = InetAddress.getByName(address.host());
    } catch (UnknownHostException e) {
      throw new ListenException(
          cannot(address)
              + "the host name has no address. Set "
              + key
              + " to an address of this machine.",
          e);
    }
    try {
      ServerSocket socket = new ServerSocket();
      try {
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(host, address.port()), BACKLOG);
      } catch (IOException e) {
        socket.close();
        throw e;
      }
      return socket;
    } catch (IOException e) {
      throw new ListenException(cannot(address) + explain(address, key, e), e);
    }
  }

  private static String cannot(HostPort address) {
    return "cannot listen on " + address.host() + ":" + address.port() + ": ";
  }

  private static String explain(HostPort address, String key, IOException e) {
    String message = String.valueOf(e.getMessage());
    String cause = message.toLowerCase(Locale.ROOT);
    if (cause.contains("permission denied")) {
      return "permission denied. Ports below 1024 need root or the capability"
          + " CAP_NET_BIND_SERVICE; or set "
          + key
          + " to a port of 1024 or more.";
    }
    if (cause.contains("cannot assign")) {
      return "the address is not one of this machine's. Set "
          + key
          + " to one that is, or to"
          + " 0.0.0.0.";
    }
    if (e instanceof BindException && cause.contains("in use")) {
      return "port "
          + address.port()
          + " is in use. Another mail server may be running: stop it, or set "
          + key
          + " to another"
          + " port.";
    }
    return message;
  }
}
