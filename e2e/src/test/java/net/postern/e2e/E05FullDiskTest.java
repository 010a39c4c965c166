package net.postern.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import net.postern.testkit.Await;
import net.postern.testkit.MailLoad;
import net.postern.testkit.MailSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The disk that holds everything of the node, its database included, runs full while mail flows.
 * Senders are told to come again with {@code 451 4.3.0}, nothing that was acknowledged is lost, and
 * when there is room again everything goes on by itself.
 */
@Isolated("it fills a disk")
class E05FullDiskTest {
  private static final int MEGABYTE = 1 << 20;
  private static final int MOST_MESSAGES = 200_000;
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** The stores stop before the disk is full, so that the database does not run into the wall. */
  @Test
  void reserveIsReached() throws IOException, InterruptedException {
    fill("reserve", 600, "\"256 MiB\"", 200);
  }

  /** Not one byte is left: writes fail in the middle of a segment. */
  @Test
  void notOneByteIsLeft() throws IOException, InterruptedException {
    fill("full", 400, "\"0\"", 0);
  }

  private static void fill(String form, int megabytes, String reserve, int leave)
      throws IOException, InterruptedException {
    try (SmallDisk disk = SmallDisk.mount("e05-" + form, megabytes);
        MailSink sink = MailSink.start();
        NodeProcess node = NodeProcess.fresh("e05-" + form, disk.root().resolve("data"))) {
      node.set("vault", "reserve", reserve);
      node.start();
      node.routeTo(sink.port());
      MailLoad.Plan plan =
          new MailLoad.Plan(8, MOST_MESSAGES, 8_000, "user@" + NodeProcess.DOMAIN)
              .pausing(Duration.ofMillis(20));
      try (MailLoad load = MailLoad.start(node::smtp, plan)) {
        Await.until(PATIENCE, () -> sink.distinct() > 100);
        node.awaitReady(PATIENCE);

        disk.fill(leave);
        Await.until(PATIENCE, () -> load.refusals("451 4.3") > 20);
        Await.until(PATIENCE, () -> node.status("/ready") == 503);
        // Whatever stops besides the stores: as long as the disk is full, nothing is acknowledged.
        if (leave == 0) {
          disk.fill(0);
        }
        Await.until(PATIENCE, () -> isRefusing(load));
        Await.until(
            PATIENCE,
            () -> node.logOfRun().lines().anyMatch(line -> line.contains("takes no mail")));
        int before = load.acknowledged();
        int arrived = sink.distinct();

        disk.free();
        Await.until(
            PATIENCE, () -> load.acknowledged() > before + 200 && sink.distinct() > arrived + 200);
        node.awaitReady(PATIENCE);
        load.stop(PATIENCE);

        assertEquals(List.of(), load.refusedForGood());
        for (String reply : load.refusals().keySet()) {
          assertTrue(reply.startsWith("451 4.3"), load.refusals()::toString);
        }
        Await.until(PATIENCE, () -> missing(load, sink) == 0);
        String ledger = E02CrashTest.untilNothingWaits(node);
        assertTrue(ledger.contains("balance: 0"), ledger);
        assertTrue(node.isAlive());
        int copies = sink.total() - sink.distinct();

        assertEquals(0, node.stop(PATIENCE), node::endOfLog);
        node.start();
        node.awaitEqualStores(PATIENCE);
        Await.until(PATIENCE, () -> missing(load, sink) == 0);
        System.out.println(
            "E05 %s: %d messages got 250, 0 lost, %d copies too many; refusals %s; doubts %d; balance 0; stores equal"
                .formatted(form, load.acknowledged(), copies, load.refusals(), load.doubts()));
      }
    }
  }

  private static boolean isRefusing(MailLoad load) {
    int acknowledged = load.acknowledged();
    int refused = load.refusals("451");
    Await.until(PATIENCE, () -> load.refusals("451") > refused + 50);
    return load.acknowledged() == acknowledged;
  }

  private static int missing(MailLoad load, MailSink sink) {
    int missing = 0;
    for (int id = 0; id < MOST_MESSAGES; id++) {
      missing += load.isAcknowledged(id) && sink.arrivals(id).isEmpty() ? 1 : 0;
    }
    return missing;
  }

  /** A file system of its own in a file: ext4, as servers have. */
  private record SmallDisk(Path image, Path root) implements AutoCloseable {

    static SmallDisk mount(String name, int megabytes) throws IOException, InterruptedException {
      Machine.needsRoot("mounts a file system");
      String mkfs = Machine.program("mkfs.ext4", "e2fsprogs");
      Path directory = Files.createDirectories(NodeProcess.WORK);
      Path image = Files.createTempFile(directory, name, ".img");
      Path root = Files.createTempDirectory(directory, name + "-disk");
      SmallDisk disk = new SmallDisk(image, root);
      try {
        Machine.run("truncate", "-s", megabytes + "M", image.toString());
        Machine.run(mkfs, "-q", "-m", "0", image.toString());
        NodeProcess.Outcome mounted =
            NodeProcess.run(
                java.util.Map.of(),
                List.of("mount", "-o", "loop", image.toString(), root.toString()));
        Machine.needs(mounted.code() == 0, "this machine allows no mounts: " + mounted.out());
        return disk;
      } catch (IOException | InterruptedException | RuntimeException | Error e) {
        disk.close();
        throw e;
      }
    }

    /** Fills it, but for so many megabytes; 0 for the last byte. */
    void fill(int leave) throws IOException {
      long left = Files.getFileStore(root).getUsableSpace() / MEGABYTE - leave;
      try (OutputStream out =
          Files.newOutputStream(
              root.resolve("filler"), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        byte[] block = new byte[MEGABYTE];
        for (long i = 0; i < left; i++) {
          out.write(block);
        }
        if (leave == 0) {
          try {
            byte[] page = new byte[4_096];
            for (int i = 0; i < 100_000; i++) {
              out.write(page);
            }
          } catch (IOException e) {
            // Full it is.
          }
        }
      } catch (IOException e) {
        if (leave > 0) {
          throw e;
        }
      }
    }

    void free() throws IOException {
      Files.delete(root.resolve("filler"));
    }

    @Override
    public void close() throws IOException {
      try {
        // What a killed PostgreSQL leaves behind goes within moments.
        for (int i = 0; i < 20 && isMounted(); i++) {
          NodeProcess.Outcome gone =
              NodeProcess.run(java.util.Map.of(), List.of("umount", root.toString()));
          if (gone.code() != 0) {
            java.util.concurrent.locks.LockSupport.parkNanos(Duration.ofMillis(250).toNanos());
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      Files.deleteIfExists(image);
      Files.deleteIfExists(root);
    }

    private boolean isMounted() throws IOException {
      return Files.readAllLines(Path.of("/proc/mounts")).stream()
          .anyMatch(line -> line.split(" ")[1].equals(root.toString()));
    }
  }
}
