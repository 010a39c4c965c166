package net.postern.vault;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far the check of the stores has come, and what it found: kept in a file, so that a restart
 * goes on where it was and other processes can tell.
 *
 * @param started when the present pass began; the last one when none is under way
 * @param after the last object of the present pass that was looked at; empty when none is under way
 * @param underWay whether a pass is under way
 * @param stores by name
 * @param unrepaired what no copy could heal, the first of it
 * @param gaps stores of which the present pass did not see everything
 */
public record ScrubState(
    Optional<Instant> started,
    String after,
    boolean underWay,
    Map<String, Store> stores,
    List<Finding> unrepaired,
    Set<String> gaps) {
  private static final Logger LOG = LoggerFactory.getLogger(ScrubState.class);

  /** Most findings that are kept. */
  static final int MAX_UNREPAIRED = 1_000;

  /** Where nothing was checked yet. */
  static final ScrubState NEW =
      new ScrubState(Optional.empty(), "", false, Map.of(), List.of(), Set.of());

  /**
   * One store. Numbers are of all passes together.
   *
   * @param lastFullPass when a pass ended that looked at everything in it
   */
  public record Store(
      long objects, long bytes, long found, long repaired, Optional<Instant> lastFullPass) {
    static final Store NEW = new Store(0, 0, 0, 0, Optional.empty());

    Store plus(long moreObjects, long moreBytes) {
      return new Store(objects + moreObjects, bytes + moreBytes, found, repaired, lastFullPass);
    }

    Store plus(Finding finding) {
      int more = finding.outcome() == Finding.Outcome.REPAIRED ? 1 : 0;
      return new Store(objects, bytes, found + 1, repaired + more, lastFullPass);
    }

    Store full(Instant now) {
      return new Store(objects, bytes, found, repaired, Optional.of(now));
    }
  }

  /** One store's numbers; zeros where nothing was checked yet. */
  public Store store(String name) {
    return stores.getOrDefault(name, Store.NEW);
  }

  public ScrubState {
    stores = Map.copyOf(stores);
    unrepaired = List.copyOf(unrepaired);
    gaps = Set.copyOf(gaps);
  }

  /** Reads what was kept. A file that is missing or damaged is as good as none: all is checked. */
  public static ScrubState load(Path file) {
    if (!Files.exists(file)) {
      return NEW;
    }
    try (InputStream in = Files.newInputStream(file)) {
      Properties text = new Properties();
      text.load(in);
      Map<String, Store> stores = new TreeMap<>();
      for (String key : text.stringPropertyNames()) {
        if (key.startsWith("store.")) {
          String[] part = text.getProperty(key).split(" ", -1);
          stores.put(
              key.substring("store.".length()),
              new Store(
                  Long.parseLong(part[0]),
                  Long.parseLong(part[1]),
                  Long.parseLong(part[2]),
                  Long.parseLong(part[3]),
                  instant(part[4])));
        }
      }
      List<Finding> unrepaired = new ArrayList<>();
      for (int i = 0; text.containsKey("unrepaired." + i); i++) {
        String[] part = text.getProperty("unrepaired." + i).split("\t", 4);
        unrepaired.add(
            new Finding(
                part[0], part[1], Damage.valueOf(part[2]), Finding.Outcome.UNREPAIRED, part[3]));
      }
      return new ScrubState(
          instant(text.getProperty("started", "")),
          text.getProperty("after", ""),
          Boolean.parseBoolean(text.getProperty("under_way")),
          stores,
          unrepaired,
          names(text.getProperty("gaps", "")));
    } catch (IOException
        | IllegalArgumentException
        | IndexOutOfBoundsException
        | DateTimeException e) {
      LOG.warn("{} cannot be read; the check of the stores begins anew: {}", file, e.toString());
      return NEW;
    }
  }

  private static Set<String> names(String text) {
    return text.isEmpty() ? Set.of() : Set.of(text.split(" ", -1));
  }

  private static Optional<Instant> instant(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
  }

  /** Keeps this, as a whole or not at all. */
  void save(Path file) throws IOException {
    Properties text = new Properties();
    text.setProperty("started", started.map(Instant::toString).orElse(""));
    text.setProperty("after", after);
    text.setProperty("under_way", String.valueOf(underWay));
    text.setProperty("gaps", String.join(" ", gaps));
    stores.forEach(
        (name, store) ->
            text.setProperty(
                "store." + name,
                "%d %d %d %d %s"
                    .formatted(
                        store.objects(),
                        store.bytes(),
                        store.found(),
                        store.repaired(),
                        store.lastFullPass().map(Instant::toString).orElse(""))));
    for (int i = 0; i < unrepaired.size(); i++) {
      Finding each = unrepaired.get(i);
      text.setProperty(
          "unrepaired." + i,
          String.join("\t", each.store(), each.object(), each.damage().name(), each.detail()));
    }
    StringWriter out = new StringWriter();
    text.store(out, "How far the check of the stores has come");
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (FileChannel channel =
        FileChannel.open(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(out.toString().getBytes(StandardCharsets.ISO_8859_1));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
