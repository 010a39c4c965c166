package net.postern.node;

import java.io.IOException;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.observe.Pseudonyms;

/** The names that addresses have in the log of an installation. */
final class LogNames {
  private LogNames() {}

  /**
   * The same for every node of an installation, also after its master key was changed.
   *
   * @throws IOException when the system's key cannot be had
   */
  static Pseudonyms of(KeyRing keys) throws IOException {
    return Pseudonyms.with(Aead.derive(keys.systemKey(), "names in the log"));
  }
}
