package net.postern.edge;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.config.Network;
import net.postern.edge.check.Client;
import net.postern.smtp.XclientArguments;
import net.postern.tenant.Lookup;
import net.postern.tenant.Submitter;

/**
 * Who is at the other end of a session: by its address, by what a proxy says of it, by a login, or
 * as a customer's registered server. Used by the session's thread.
 */
final class Identity {
  private final EdgeContext context;
  private final Service service;
  private final Connection connection;
  private final InetAddress peer;

  // What a proxy says where one is trusted to; otherwise the other end of the socket.
  private Client client;
  private String address;
  private String name = "";
  private Optional<String> toldHelo = Optional.empty();
  private Optional<Submitter> user = Optional.empty();
  // A proxy speaks for someone who has not its certificate.
  private boolean spokenFor;
  private int failedLogins;

  /**
   * @param peer who connected, behind a proxy that sends a PROXY header too
   */
  Identity(EdgeContext context, Service service, Connection connection, InetAddress peer) {
    this.context = context;
    this.service = service;
    this.connection = connection;
    this.peer = peer;
    this.client = context.checks(service).questions().client(peer);
    this.address = peer.getHostAddress();
  }

  /**
   * The client as checks see it: with a certificate that it has proved to have, maybe a customer's
   * registered server. Asked each time, for such a certificate may be taken back; when it cannot be
   * said now, it is asked again at a recipient for whom it matters.
   */
  Client client() {
    return isCertified() ? client.asCertified() : client;
  }

  private boolean isCertified() {
    return service == Service.MX
        && !certificate().isEmpty()
        && context.outbound().isPresent()
        && context
            .outbound()
            .get()
            .accounts()
            .certifiedServer(certificate())
            .orElse(Optional.empty())
            .isPresent();
  }

  /** The client's address, for people. */
  String address() {
    return address;
  }

  /** Verified name of the client, as a proxy told it; may be empty. */
  String name() {
    return name.isEmpty() ? client.verifiedName() : name;
  }

  /** What the client calls itself by what a proxy told; whatever it says to us is the proxy's. */
  Optional<String> toldHelo() {
    return toldHelo;
  }

  /** Who logged in. */
  Optional<Submitter> user() {
    return user;
  }

  void loggedIn(Submitter who) {
    user = Optional.of(who);
    failedLogins = 0;
  }

  /** Counts one more. */
  int countFailedLogin() {
    return ++failedLogins;
  }

  /**
   * Who sends to others here: the user who logged in; where other servers send, the registered one
   * at the other end.
   */
  Lookup<Optional<Submitter>> submitter() {
    return service.submission() || user.isPresent() || context.outbound().isEmpty()
        ? Lookup.of(user)
        : context.outbound().get().server(client.address(), certificate());
  }

  private String certificate() {
    return spokenFor ? "" : connection.certificate();
  }

  /** Whether the client is to be asked for a certificate. */
  boolean asksForCertificate() {
    return service == Service.MX
        && context.outbound().map(each -> each.accounts().asksForCertificates()).orElse(false);
  }

  /** Whether who connected, behind a proxy that said so, may speak for others. */
  boolean mayXclient() {
    return Network.anyContains(context.config().xclientNetworks(), peer);
  }

  /**
   * Someone else from now on.
   *
   * @return false when it cannot be said now who that is; nothing has changed then
   */
  boolean standFor(XclientArguments told) {
    Optional<Submitter> login = Optional.empty();
    if (service.submission() && told.login().isPresent() && context.outbound().isPresent()) {
      switch (context.outbound().get().logins().vouchedFor(told.login().get())) {
        case Lookup.Unavailable<Optional<Submitter>> unavailable -> {
          return false;
        }
        case Lookup.Known<Optional<Submitter>>(Optional<Submitter> known) -> login = known;
      }
    }
    if (told.address().isPresent()) {
      client = context.checks(service).questions().client(told.address().get());
    }
    spokenFor = true;
    address = client.address().getHostAddress();
    name = told.name().orElse("");
    toldHelo = told.helo();
    user = login;
    return true;
  }

  /** TLS has begun. What was said in the clear counts no more (RFC 3207 §4.2). */
  void secured() {
    user = Optional.empty();
  }
}
