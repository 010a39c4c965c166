package net.postern.submission;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/** The client's side of SCRAM-SHA-256 without channel binding (RFC 5802 §3). */
final class ScramClient {
  private final String bare;
  private final String password;

  ScramClient(String name, String password) {
    this.bare = "n=" + name + ",r=abc";
    this.password = password;
  }

  byte[] first() {
    return ("n,," + bare).getBytes(StandardCharsets.UTF_8);
  }

  byte[] last(String challenge) {
    String[] parts = challenge.split(",", -1);
    byte[] salt = Base64.getDecoder().decode(parts[1].substring(2));
    int iterations = Integer.parseInt(parts[2].substring(2));
    try {
      byte[] salted =
          SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
              .generateSecret(new PBEKeySpec(password.toCharArray(), salt, iterations, 256))
              .getEncoded();
      byte[] proof = hmac(salted, "Client Key");
      byte[] stored = MessageDigest.getInstance("SHA-256").digest(proof);
      String withoutProof = "c=biws," + parts[0];
      byte[] signature = hmac(stored, bare + "," + challenge + "," + withoutProof);
      for (int i = 0; i < proof.length; i++) {
        proof[i] ^= signature[i];
      }
      return (withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof))
          .getBytes(StandardCharsets.UTF_8);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
  }
}
