package net.postern.delivery;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import net.postern.tenant.Route;

/** A next hop: deliveries with an equal hop can share a connection. */
sealed interface Hop {

  /** Which addresses a server's name may stand for. */
  enum Reach {
    /** The operator named the server: any. */
    ANY,
    /**
     * A stranger's DNS named it: public ones, and inside networks that the operator allows.
     * Otherwise whoever forges a sender could have this node connect to hosts behind it.
     */
    PUBLIC
  }

  /**
   * SMTP servers. A later tier is tried when no server of an earlier one can be reached; within a
   * tier the order is drawn anew for each connection.
   */
  record Servers(List<List<Route.Target>> tiers, Route.Tls tls, Reach reach) implements Hop {
    public Servers {
      tiers = tiers.stream().map(List::copyOf).toList();
    }

    @Override
    public String toString() {
      return tiers.stream()
          .flatMap(List::stream)
          .map(Route.Target::toString)
          .collect(Collectors.joining(",", "smtp:", ""));
    }
  }

  /** Maildirs below this directory. */
  record Maildirs(Path directory) implements Hop {
    @Override
    public String toString() {
      return "maildir:" + directory;
    }
  }
}
