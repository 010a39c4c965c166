package net.postern.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A certificate that was named on the command line.
 *
 * @param fingerprint SHA-256, hexadecimal
 * @param subject whom it names; empty when only the fingerprint was given
 */
record CertificateFile(String fingerprint, String subject) {
  private static final Pattern FINGERPRINT =
      Pattern.compile("([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}");

  /** Reads a PEM file, or takes the text for a fingerprint. */
  static CertificateFile read(String text) {
    if (FINGERPRINT.matcher(text).matches()) {
      return new CertificateFile(text, "");
    }
    try (InputStream in = Files.newInputStream(Path.of(text))) {
      X509Certificate certificate =
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
      return new CertificateFile(
          HexFormat.of()
              .formatHex(MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded())),
          certificate.getSubjectX500Principal().getName());
    } catch (IOException | InvalidPathException e) {
      throw new CommandFailure(
          Exit.USAGE, "\"" + text + "\" is no fingerprint, and no file that can be read", e);
    } catch (GeneralSecurityException e) {
      throw new CommandFailure(Exit.USAGE, text + " holds no certificate in PEM", e);
    }
  }
}
