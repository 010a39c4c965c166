package net.postern.demo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import net.postern.blob.DirectoryStore;
import net.postern.blob.Replicas;
import net.postern.id.MessageId;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.ledger.MessageQueries;
import net.postern.node.DataDirectory;
import net.postern.node.StartException;
import net.postern.vault.MessageFrame;
import net.postern.vault.MessageReader;
import net.postern.vault.Place;
import net.postern.vault.StoreReader;
import net.postern.vault.VaultUnavailableException;

/**
 * Any one store alone serves every message. While the node is stopped, the directories of the other
 * two are moved away, and what is left is read with nothing but the master key: no database, no
 * cache, no key that another store gave.
 */
final class StoreCheck {
  /** Messages that are read; of more, the newest. */
  static final int MAX_MESSAGES = 100_000;

  /**
   * Number of a store that is damaged before it is read, so that a test sees this check fail. Not
   * for anything else: the damage stays.
   */
  private static final String DAMAGE = "postern.demo.damage";

  private static final List<String> STORES = List.of("store-1", "store-2", "store-3");
  private static final String AWAY = ".away";
  private static final int SHOWN = 3;

  /** A message as it was accepted. */
  record Accepted(MessageId id, Place place, String sha256) {}

  private final Path data;

  private StoreCheck(Path data) {
    this.data = data;
  }

  /**
   * What the node accepted, read through the node itself, newest first.
   *
   * @throws VaultUnavailableException when the node cannot read one of its messages
   */
  static List<Accepted> accepted(MessageQueries messages, MessageReader vault)
      throws VaultUnavailableException {
    List<Accepted> all = new ArrayList<>();
    for (MessageQueries.Accepted each : messages.accepted(MAX_MESSAGES)) {
      all.add(new Accepted(each.id(), each.place(), sha256(vault.read(each.place()).content())));
    }
    return all;
  }

  /**
   * Reads everything from each store alone. The node must not run; none can be started meanwhile.
   *
   * @throws StartException when a node runs
   * @throws IOException when a directory cannot be moved; the message says where it is
   */
  static List<Check> run(Path data, List<Accepted> accepted) throws StartException, IOException {
    StoreCheck check = new StoreCheck(data);
    List<Check> checks = new ArrayList<>();
    try (DataDirectory _ = DataDirectory.claim(data)) {
      String damaged = System.getProperty(DAMAGE, "");
      if (!damaged.isEmpty()) {
        check.damage("store-" + damaged);
      }
      for (String store : STORES) {
        checks.add(check.alone(store, accepted));
      }
    }
    return checks;
  }

  private Check alone(String store, List<Accepted> accepted) throws IOException {
    List<String> others = STORES.stream().filter(each -> !each.equals(store)).toList();
    int read = 0;
    List<String> wrong = new ArrayList<>();
    try {
      for (String other : others) {
        Files.move(data.resolve(other), data.resolve(other + AWAY));
      }
      DirectoryStore only = new DirectoryStore(store, data.resolve(store));
      KeyRing keys =
          new KeyRing(MasterKey.read(data.resolve("master.key")), new Replicas(List.of(only), 1));
      StoreReader reader = new StoreReader(() -> List.of(only), keys);
      for (Accepted each : accepted) {
        try {
          MessageFrame frame = reader.read(each.place());
          if (!frame.id().equals(each.id())) {
            wrong.add(each.id() + " is another message");
          } else if (!sha256(frame.content()).equals(each.sha256())) {
            wrong.add(each.id() + " has other bytes");
          } else {
            read++;
          }
        } catch (VaultUnavailableException e) {
          wrong.add(each.id() + " cannot be read: " + cause(e));
        }
      }
    } finally {
      putBack(data);
    }
    String detail =
        "%d of %d messages decrypted with the bytes (SHA-256) that were accepted"
            .formatted(read, accepted.size());
    if (!wrong.isEmpty()) {
      detail += "; " + String.join("; ", wrong.subList(0, Math.min(SHOWN, wrong.size())));
    }
    return new Check(
        store + " alone", wrong.isEmpty() && read == accepted.size() && read > 0, detail);
  }

  private static String cause(VaultUnavailableException e) {
    Throwable[] causes = e.getSuppressed();
    return causes.length == 0 ? String.valueOf(e.getMessage()) : causes[0].toString();
  }

  /**
   * Moves directories back that are away, also those that a killed run left so.
   *
   * @throws IOException when one cannot be moved; the message says where it is
   */
  static void putBack(Path data) throws IOException {
    for (String store : STORES) {
      Path away = data.resolve(store + AWAY);
      if (Files.exists(away)) {
        try {
          Files.move(away, data.resolve(store));
        } catch (IOException e) {
          throw new IOException(
              "%s is still at %s; move it back by hand (%s)".formatted(store, away, e), e);
        }
      }
    }
  }

  private void damage(String store) throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve(store).resolve("segments"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
          ByteBuffer last = ByteBuffer.allocate(1);
          long at = channel.size() - 1;
          channel.read(last, at);
          last.put(0, (byte) ~last.get(0)).rewind();
          channel.write(last, at);
        }
      }
    }
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
