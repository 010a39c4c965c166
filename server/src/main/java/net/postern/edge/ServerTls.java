package net.postern.edge;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import net.postern.config.EdgeConfig;
import net.postern.config.EdgeTlsConfig;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the {@link SSLContext} for STARTTLS from the files given, or from one of our own making.
 */
public final class ServerTls {
  private static final String RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";
  private static final Logger LOG = LoggerFactory.getLogger(ServerTls.class);

  static {
    // TLS 1.2 lets a client ask for handshakes without end, which cost us more than it. The runtime
    // reads this once, when TLS is first used.
    if (System.getProperty(RENEGOTIATION) == null) {
      System.setProperty(RENEGOTIATION, "true");
    }
  }

  private static final String CERTIFICATE = "edge-certificate.pem";
  private static final String PRIVATE_KEY = "edge-private-key.pem";

  /** A certificate of our own making is made again so long before it expires. */
  private static final Duration RENEW_BEFORE = Duration.ofDays(7);

  /** Most certificates of a chain that are read. */
  private static final int MAX_CHAIN = 20;

  private ServerTls() {}

  /**
   * The context by configuration. Without files given, a certificate is made in the data directory
   * when there is none yet, or when it has expired or is for another host name.
   *
   * @throws TlsException when a file given cannot be used, or none can be made
   */
  public static SSLContext context(EdgeConfig config, String hostname, Path data, Instant now) {
    var _ = makeOwn(config, hostname, data, now);
    return load(sources(config, data).stream().map(ServerTls::identity).toList());
  }

  /**
   * Where a certificate is read from.
   *
   * @param hosts for which it is; empty for those that it names
   */
  record Source(Path certificate, Path privateKey, List<String> hosts) {}

  /**
   * All that {@link #context} is made of, the default first.
   *
   * @throws TlsException when the configuration contradicts itself
   */
  static List<Source> sources(EdgeConfig config, Path data) {
    if (config.certificate().isPresent() != config.privateKey().isPresent()) {
      throw new TlsException(
          "edge.certificate and edge.private_key belong together; only one of them is set");
    }
    List<Source> sources = new ArrayList<>();
    if (config.certificate().isPresent()) {
      sources.add(
          new Source(config.certificate().get(), config.privateKey().orElseThrow(), List.of()));
    } else if (makesOwn(config)) {
      sources.add(new Source(ownCertificate(data), ownKey(data), List.of()));
    }
    for (EdgeTlsConfig each : config.tls()) {
      sources.add(new Source(each.certificate(), each.privateKey(), each.hosts()));
    }
    return sources;
  }

  private static boolean makesOwn(EdgeConfig config) {
    return config.certificate().isEmpty() && config.tls().isEmpty();
  }

  /**
   * Makes a certificate of our own where one is used and the one there will not do any more.
   *
   * @return whether it made one
   * @throws TlsException when it cannot
   */
  static boolean makeOwn(EdgeConfig config, String hostname, Path data, Instant now) {
    Path certificate = ownCertificate(data);
    Path privateKey = ownKey(data);
    try {
      if (!makesOwn(config) || isUsable(certificate, privateKey, hostname, now)) {
        return false;
      }
      SelfSignedCertificate.create(hostname, now, certificate, privateKey);
      LOG.info("made a certificate for {} in {}", hostname, certificate);
      return true;
    } catch (IOException e) {
      throw new TlsException(
          "cannot write a certificate to " + data + ": " + e + ". Make the directory writable.", e);
    }
  }

  /** Where a certificate of our own making is kept. */
  static Path ownCertificate(Path data) {
    return data.resolve(CERTIFICATE);
  }

  static Path ownKey(Path data) {
    return data.resolve(PRIVATE_KEY);
  }

  /**
   * The context of a certificate chain and its key.
   *
   * @throws TlsException when either cannot be read, or they do not belong together
   */
  public static SSLContext load(Path certificate, Path privateKey) {
    return load(List.of(identity(certificate, privateKey, List.of())));
  }

  /**
   * The context of several.
   *
   * @param identities at least one; the first is the default
   */
  static SSLContext load(List<ServerNames.Identity> identities) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      // Clients' certificates are asked for only where servers are registered by them.
      context.init(
          new KeyManager[] {new ServerNames(identities)},
          new TrustManager[] {new UncheckedClientCertificates()},
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new TlsException("TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  /**
   * Reads a certificate and its key.
   *
   * @throws TlsException when either cannot be read, or they do not belong together
   */
  static ServerNames.Identity identity(Source source) {
    return identity(source.certificate(), source.privateKey(), source.hosts());
  }

  // Without host names given, for those of the certificate.
  private static ServerNames.Identity identity(
      Path certificate, Path privateKey, List<String> hosts) {
    List<X509Certificate> chain = readChain(certificate);
    PrivateKey key = readKey(privateKey);
    try {
      if (!belongTogether(key, chain.getFirst())) {
        throw new TlsException(
            "the key in " + privateKey + " is not that of the first certificate in " + certificate);
      }
      Set<String> names = new HashSet<>();
      (hosts.isEmpty() ? named(chain.getFirst()) : hosts)
          .forEach(each -> names.add(each.toLowerCase(Locale.ROOT)));
      return new ServerNames.Identity(Set.copyOf(names), key, chain);
    } catch (GeneralSecurityException e) {
      throw new TlsException(
          "cannot use " + certificate + " with " + privateKey + ": " + e.getMessage(), e);
    }
  }

  // RFC 5280 §4.2.1.6: dNSName is number 2.
  private static List<String> named(X509Certificate certificate) throws GeneralSecurityException {
    var names = certificate.getSubjectAlternativeNames();
    return names == null
        ? List.of()
        : names.stream()
            .filter(each -> Integer.valueOf(2).equals(each.getFirst()))
            .map(each -> String.valueOf(each.getLast()))
            .toList();
  }

  /** A chain and its key, as {@code edge} and without a password. */
  static KeyStore store(Path certificate, Path privateKey)
      throws GeneralSecurityException, IOException {
    ServerNames.Identity identity = identity(certificate, privateKey, List.of());
    char[] password = {};
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, password);
    store.setKeyEntry(
        "edge", identity.key(), password, identity.chain().toArray(X509Certificate[]::new));
    return store;
  }

  private static boolean isUsable(Path certificate, Path privateKey, String hostname, Instant now) {
    if (!Files.exists(certificate) || !Files.exists(privateKey)) {
      return false;
    }
    X509Certificate first = readChain(certificate).getFirst();
    return first.getNotAfter().toInstant().isAfter(now.plus(RENEW_BEFORE))
        && first.getSubjectX500Principal().getName().equals("CN=" + hostname);
  }

  private static List<X509Certificate> readChain(Path path) {
    List<X509Certificate> chain = new ArrayList<>();
    try (PEMParser parser = new PEMParser(open(path, "certificate"))) {
      Object found;
      while (chain.size() < MAX_CHAIN && (found = parser.readObject()) != null) {
        if (found instanceof X509CertificateHolder holder) {
          chain.add(new JcaX509CertificateConverter().getCertificate(holder));
        }
      }
    } catch (IOException | GeneralSecurityException e) {
      throw new TlsException("cannot read the certificate " + path + ": " + e.getMessage(), e);
    }
    if (chain.isEmpty()) {
      throw new TlsException(
          "there is no certificate in " + path + "; it has to be PEM (BEGIN CERTIFICATE)");
    }
    return chain;
  }

  private static PrivateKey readKey(Path path) {
    try (PEMParser parser = new PEMParser(open(path, "private key"))) {
      Object found;
      while ((found = parser.readObject()) != null) {
        if (found instanceof PrivateKeyInfo info) {
          return new JcaPEMKeyConverter().getPrivateKey(info);
        }
        if (found instanceof PEMKeyPair pair) {
          return new JcaPEMKeyConverter().getPrivateKey(pair.getPrivateKeyInfo());
        }
      }
    } catch (IOException e) {
      throw new TlsException("cannot read the private key " + path + ": " + e.getMessage(), e);
    }
    throw new TlsException(
        "there is no private key in "
            + path
            + " that can be used; it has to be PEM without a password (BEGIN PRIVATE KEY)");
  }

  private static Reader open(Path path, String what) {
    try {
      return Files.newBufferedReader(path);
    } catch (NoSuchFileException e) {
      throw new TlsException("the " + what + " file " + path + " does not exist", e);
    } catch (IOException e) {
      throw new TlsException("cannot read the " + what + " file " + path + ": " + e, e);
    }
  }

  private static boolean belongTogether(PrivateKey key, X509Certificate certificate)
      throws GeneralSecurityException {
    String algorithm =
        switch (key.getAlgorithm()) {
          case "EC", "ECDSA" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          default -> key.getAlgorithm();
        };
    return certificate.getPublicKey().getAlgorithm().startsWith(key.getAlgorithm().substring(0, 2))
        && signs(algorithm, key, certificate);
  }

  private static boolean signs(String algorithm, PrivateKey key, X509Certificate certificate)
      throws GeneralSecurityException {
    byte[] sample = {1, 2, 3};
    Signature signer = Signature.getInstance(algorithm);
    signer.initSign(key);
    signer.update(sample);
    Signature verifier = Signature.getInstance(algorithm);
    verifier.initVerify(certificate);
    verifier.update(sample);
    return verifier.verify(signer.sign());
  }
}
