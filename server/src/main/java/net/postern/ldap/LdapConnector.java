package net.postern.ldap;

import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPURL;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.extensions.StartTLSExtendedRequest;
import com.unboundid.util.ssl.HostNameSSLSocketVerifier;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import net.postern.tenant.DirectorySource;

/** Connects to the first server of a source that answers, with TLS that is verified, and binds. */
final class LdapConnector {
  private static final int CONNECT_MILLIS = 10_000;

  /** For one page of a search. */
  private static final int RESPONSE_MILLIS = 60_000;

  /** One entry, with all members of a group: some hundred thousand. In bytes. */
  private static final int MAX_MESSAGE = 16 << 20;

  private LdapConnector() {}

  /**
   * Opens a connection; the caller closes it.
   *
   * @param limit covers it from the beginning
   * @throws LdapFailure with what each server said
   */
  static LDAPConnection connect(DirectorySource source, ReadingLimit limit) throws LdapFailure {
    SSLContext trust = trust(source.trusted());
    List<String> failures = new ArrayList<>();
    Optional<LDAPException> last = Optional.empty();
    for (String url : source.urls()) {
      try {
        return open(source, new LDAPURL(url), trust, limit);
      } catch (LDAPException e) {
        if (limit.isOver()) {
          failures.add(limit.said());
          last = Optional.of(e);
          break;
        }
        failures.add(url + ": " + said(e));
        last = Optional.of(e);
        if (e.getResultCode().equals(ResultCode.INVALID_CREDENTIALS)) {
          // The others have the same accounts, and would count the failure towards a lock-out.
          break;
        }
      }
    }
    throw last.isPresent()
        ? new LdapFailure(String.join("; ", failures), last.get())
        : new LdapFailure("the directory has no URL");
  }

  private static LDAPConnection open(
      DirectorySource source, LDAPURL url, SSLContext trust, ReadingLimit limit)
      throws LDAPException {
    LDAPConnectionOptions options = new LDAPConnectionOptions();
    options.setConnectTimeoutMillis(CONNECT_MILLIS);
    options.setResponseTimeoutMillis(RESPONSE_MILLIS);
    options.setFollowReferrals(false);
    options.setUseSynchronousMode(true);
    options.setMaxMessageSize(MAX_MESSAGE);
    options.setAbandonOnTimeout(true);
    options.setSSLSocketVerifier(new HostNameSSLSocketVerifier(true));
    LDAPConnection connection =
        url.getScheme().equals("ldaps")
            ? new LDAPConnection(trust.getSocketFactory(), options)
            : new LDAPConnection(options);
    try {
      boolean inTime = limit.covers(connection);
      if (inTime) {
        connection.connect(url.getHost(), url.getPort());
      }
      if (!inTime || limit.isOver()) {
        throw new LDAPException(ResultCode.TIMEOUT, limit.said());
      }
      if (source.startTls() && url.getScheme().equals("ldap")) {
        var result = connection.processExtendedOperation(new StartTLSExtendedRequest(trust));
        if (!result.getResultCode().equals(ResultCode.SUCCESS)) {
          throw new LDAPException(
              result.getResultCode(),
              "the server refuses StartTLS: " + result.getDiagnosticMessage());
        }
      }
      if (!source.bindDn().isEmpty()) {
        connection.bind(source.bindDn(), source.password().orElse(""));
      }
      return connection;
    } catch (LDAPException e) {
      connection.close();
      throw e;
    }
  }

  static String said(LDAPException e) {
    String message = e.getDiagnosticMessage() == null ? e.getMessage() : e.getDiagnosticMessage();
    String name = e.getResultCode().getName();
    return switch (e.getResultCode().intValue()) {
      case ResultCode.INVALID_CREDENTIALS_INT_VALUE ->
          "the bind DN or its password is wrong (" + message + ")";
      case ResultCode.CONNECT_ERROR_INT_VALUE, ResultCode.SERVER_DOWN_INT_VALUE ->
          "no connection: " + message;
      case ResultCode.TIMEOUT_INT_VALUE -> "no answer in time";
      case ResultCode.SIZE_LIMIT_EXCEEDED_INT_VALUE, ResultCode.ADMIN_LIMIT_EXCEEDED_INT_VALUE ->
          "the server does not give this account all entries, even in pages of some hundred (%s); raise its limits"
              .formatted(message);
      default -> name + (message == null || message.isEmpty() ? "" : ": " + message);
    };
  }

  private static SSLContext trust(String pem) throws LdapFailure {
    try {
      if (pem.isBlank()) {
        return SSLContext.getDefault();
      }
      Collection<? extends Certificate> certificates =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(
                  new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      int number = 0;
      for (Certificate each : certificates) {
        store.setCertificateEntry("trusted-" + number++, each);
      }
      if (number == 0) {
        throw new LdapFailure("there is no certificate in what is to be trusted");
      }
      TrustManagerFactory managers =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new LdapFailure("the certificates that are to be trusted: " + e.getMessage(), e);
    }
  }
}
