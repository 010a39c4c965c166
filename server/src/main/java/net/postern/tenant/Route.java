package net.postern.tenant;

import java.nio.file.Path;
import java.util.List;

/** Where a customer's mail goes next. */
public sealed interface Route {

  /** How much TLS a hop asks for. */
  enum Tls {
    /** Never. */
    OFF,
    /** When the server offers it; the certificate is not checked (RFC 7435). */
    OPPORTUNISTIC,
    /** Always, with a certificate that verifies for the host name; otherwise the mail waits. */
    VERIFIED
  }

  /** A host and port to connect to. */
  record Target(String host, int port) {
    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  /**
   * SMTP to stated servers, tried in order.
   *
   * @param targets at least one
   */
  record Smtp(List<Target> targets, Tls tls) implements Route {
    public Smtp {
      targets = List.copyOf(targets);
      if (targets.isEmpty()) {
        throw new IllegalArgumentException("an SMTP route needs at least one server");
      }
    }
  }

  /** SMTP to the mail exchangers that DNS names for the recipient's domain (RFC 5321 §5.1). */
  record Mx(Tls tls) implements Route {}

  /**
   * Into Maildirs below this directory: {@code DIRECTORY/domain/local-part/{tmp,new,cur}}.
   *
   * @param directory absolute
   */
  record Maildir(Path directory) implements Route {}
}
