package net.postern.edge;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Chooses a certificate by the host name that a client asks for (RFC 6066 §3): the one that has
 * this very name, else one whose wildcard stands for it, else the first of all. Of several for one
 * name the client's algorithms decide. Safe for many threads.
 */
final class ServerNames extends X509ExtendedKeyManager {

  /**
   * A certificate.
   *
   * @param hosts in lower case; {@code *.} at the beginning stands for one label (RFC 9525 §6.3)
   */
  record Identity(Set<String> hosts, PrivateKey key, List<X509Certificate> chain) {}

  // By alias, in the order in which they were given.
  private final Map<String, Identity> identities = new TreeMap<>();

  /**
   * @param all at least one; the first is for clients that ask for no name, or for another one
   */
  ServerNames(List<Identity> all) {
    for (Identity each : all) {
      identities.put("%04d".formatted(identities.size()), each);
    }
  }

  /** The alias of the certificate; empty when the one for that name has another algorithm. */
  Optional<String> choose(Optional<String> host, String keyType) {
    List<String> candidates =
        host.map(name -> having(name))
            .filter(all -> !all.isEmpty())
            .orElseGet(() -> List.of(identities.keySet().iterator().next()));
    return candidates.stream().filter(alias -> isOfType(alias, keyType)).findFirst();
  }

  private List<String> having(String name) {
    List<String> exact = withHost(name);
    int dot = name.indexOf('.');
    return exact.isEmpty() && dot > 0 ? withHost("*" + name.substring(dot)) : exact;
  }

  private List<String> withHost(String name) {
    return identities.entrySet().stream()
        .filter(each -> each.getValue().hosts().contains(name))
        .map(Map.Entry::getKey)
        .toList();
  }

  private boolean isOfType(String alias, String keyType) {
    Identity identity = identities.get(alias);
    return identity != null
        && identity.chain().getFirst().getPublicKey().getAlgorithm().equals(keyType);
  }

  private static Optional<String> asked(@Nullable SSLSession session) {
    if (session instanceof ExtendedSSLSession extended) {
      for (SNIServerName each : extended.getRequestedServerNames()) {
        if (each instanceof SNIHostName name) {
          String host = name.getAsciiName().toLowerCase(Locale.ROOT);
          return Optional.of(host.endsWith(".") ? host.substring(0, host.length() - 1) : host);
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public @Nullable String chooseServerAlias(
      String keyType, Principal @Nullable [] issuers, Socket socket) {
    return choose(
            socket instanceof SSLSocket secure
                ? asked(secure.getHandshakeSession())
                : Optional.empty(),
            keyType)
        .orElse(null);
  }

  @Override
  public @Nullable String chooseEngineServerAlias(
      String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
    return choose(asked(engine.getHandshakeSession()), keyType).orElse(null);
  }

  @Override
  public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
    return identities.keySet().stream()
        .filter(alias -> isOfType(alias, keyType))
        .toArray(String[]::new);
  }

  @Override
  public X509Certificate @Nullable [] getCertificateChain(String alias) {
    Identity identity = identities.get(alias);
    return identity == null ? null : identity.chain().toArray(X509Certificate[]::new);
  }

  @Override
  public @Nullable PrivateKey getPrivateKey(String alias) {
    Identity identity = identities.get(alias);
    return identity == null ? null : identity.key();
  }

  // We are never the client here.
  @Override
  public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
    return null;
  }

  @Override
  public @Nullable String chooseClientAlias(
      String[] keyTypes, Principal @Nullable [] issuers, Socket socket) {
    return null;
  }
}
