package net.postern.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import net.postern.blob.DirectoryStore;
import net.postern.blob.ObjectStore;
import net.postern.blob.Replicas;
import net.postern.blob.S3Requests;
import net.postern.blob.S3Settings;
import net.postern.blob.S3Store;
import net.postern.config.VaultConfig;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.keys.Aead;
import net.postern.keys.KeyRing;
import net.postern.keys.MasterKey;
import net.postern.vault.MessageFrame;
import net.postern.vault.SegmentVault;

/**
 * The vault alone: messages a second by size, how many bytes are written for each byte of mail, how
 * long the wait for an acknowledgement is, and what one store that hangs does to it.
 *
 * <p>Beside it, in the same run, the disk alone: one thread for each store that writes the same
 * bytes in groups of the same size with one fdatasync each, without encryption, digests or keys.
 */
public final class VaultBench {
  /** Most bytes of mail in one measurement of the default length. */
  private static final long DEFAULT_BYTES = 400L << 20;

  private static final int DEFAULT_MOST = 40_000;
  private static final int DEFAULT_LEAST = 60;

  /** Most bytes in the hands of all senders at one time. */
  private static final long IN_FLIGHT = 64L << 20;

  private final List<Integer> sizes;
  private final int messages;
  private final int senders;
  private final VaultConfig config;
  private final PrintWriter out;

  /**
   * @param sizes of messages, bytes
   * @param messages of each measurement; 0: by size
   * @param senders that wait for their reply at one time; fewer for large messages
   * @param config of the vault; its stores are not used
   */
  public VaultBench(
      List<Integer> sizes, int messages, int senders, VaultConfig config, PrintWriter out) {
    this.sizes = sizes;
    this.messages = messages;
    this.senders = senders;
    this.config = config;
    this.out = out;
  }

  /** Stores for a measurement. */
  @FunctionalInterface
  interface Opener {
    List<? extends ObjectStore> open() throws IOException;
  }

  /**
   * Measures with three directories below one, which are removed afterwards.
   *
   * @throws BenchException when it cannot be measured here
   */
  public void directories(Path parent) throws BenchException {
    Path directory = parent.resolve("postern-bench-" + ProcessHandle.current().pid());
    try {
      out.printf(
          "three directories in %s, %d senders; messages a second, milliseconds%n",
          parent, senders);
      out.printf(
          "%10s %8s %8s %8s %8s %8s %9s %12s %12s%n",
          "bytes",
          "messages",
          "a second",
          "MiB/s",
          "p50",
          "p99",
          "a group",
          "written/mail",
          "of the disk");
      for (int size : sizes) {
        directories(directory, size);
        BenchFiles.delete(directory);
      }
    } catch (IOException e) {
      throw new BenchException("the directory cannot be used: " + e, e);
    } finally {
      BenchFiles.delete(directory);
    }
  }

  private void directories(Path directory, int size) throws IOException, BenchException {
    int count = count(size);
    int many = senders(size);
    try (World world = new World(() -> threeDirectories(directory))) {
      world.load.closed(Math.max(many, count / 10), size, many);
      long bytesBefore = world.bytes();
      long appendsBefore = world.appends();
      VaultLoad.Result result = world.load.closed(count, size, many);
      double group = count * 3.0 / (world.appends() - appendsBefore);
      double amplification = (world.bytes() - bytesBefore) / 3.0 / ((double) size * count);
      double disk = disk(directory, size, count, group);
      out.printf(
          Locale.ROOT,
          "%10d %8d %8.0f %8.1f %8.2f %8.2f %9.1f %12.3f %11.0f%%%n",
          size,
          count,
          result.rate(),
          result.rate() * size / (1 << 20),
          result.latencies().millis(0.5),
          result.latencies().millis(0.99),
          group,
          amplification,
          100 * result.rate() / disk);
      out.flush();
    }
  }

  /**
   * Measures the wait for an acknowledgement with all stores well, and with one that stops
   * answering in the middle.
   *
   * @throws BenchException when it cannot be measured here
   */
  public void hanging(Path parent) throws BenchException {
    Path directory = parent.resolve("postern-bench-" + ProcessHandle.current().pid());
    int size = sizes.getFirst();
    int count = count(size);
    try {
      double healthy;
      try (World world = new World(() -> threeDirectories(directory.resolve("well")))) {
        world.load.closed(Math.max(senders, count / 10), size, senders);
        healthy = world.load.closed(count, size, senders).latencies().millis(0.99);
      }
      try (World world = new World(() -> threeDirectories(directory.resolve("hangs")))) {
        world.load.closed(Math.max(senders, count / 10), size, senders);
        world.stores.get(1).hang();
        VaultLoad.Result result = world.load.closed(count, size, senders);
        out.printf(
            Locale.ROOT,
            "%d bytes, %d senders, %d messages: p99 %.2f ms with all stores well; with one that"
                + " hangs p99 %.2f ms, longest %.0f ms (vault.store_wait is %d ms), %.0f a second%n",
            size,
            senders,
            count,
            healthy,
            result.latencies().millis(0.99),
            result.latencies().millis(1),
            config.storeWait().toMillis(),
            result.rate());
        world.stores.get(1).goOn();
      }
    } catch (IOException e) {
      throw new BenchException("the directory cannot be used: " + e, e);
    } finally {
      BenchFiles.delete(directory);
    }
  }

  /**
   * Measures with S3 servers, below a prefix of its own in each bucket, which is emptied
   * afterwards.
   *
   * @throws BenchException when one cannot be used
   */
  public void endpoints(List<S3Settings> endpoints) throws BenchException {
    out.printf(
        "%d S3 stores, %d senders; messages a second, milliseconds%n", endpoints.size(), senders);
    out.printf(
        "%10s %8s %8s %8s %8s %8s %9s %12s %16s%n",
        "bytes",
        "messages",
        "a second",
        "MiB/s",
        "p50",
        "p99",
        "a group",
        "written/mail",
        "requests/message");
    for (int size : sizes) {
      int count = count(size);
      int many = senders(size);
      try (World world = new World(() -> open(endpoints), endpoints)) {
        world.load.closed(Math.max(many, count / 10), size, many);
        long bytes = world.bytes();
        long appends = world.appends();
        List<S3Requests> before = world.requests();
        VaultLoad.Result result = world.load.closed(count, size, many);
        long total = since(world, before).stream().mapToLong(S3Requests::total).sum();
        out.printf(
            Locale.ROOT,
            "%10d %8d %8.0f %8.1f %8.2f %8.2f %9.1f %12.3f %16.4f%n",
            size,
            count,
            result.rate(),
            result.rate() * size / (1 << 20),
            result.latencies().millis(0.5),
            result.latencies().millis(0.99),
            (double) count * endpoints.size() / (world.appends() - appends),
            (double) (world.bytes() - bytes) / endpoints.size() / ((double) size * count),
            (double) total / endpoints.size() / count);
        out.flush();
      } catch (IOException e) {
        throw new BenchException("an S3 store cannot be used: " + e.getMessage(), e);
      }
    }
  }

  /**
   * Counts the requests that mail costs when it arrives at a stated rate: appending, putting
   * together what was appended, and removing the pieces.
   *
   * @param rate messages a second
   * @throws BenchException when one cannot be used
   */
  public void cost(List<S3Settings> endpoints, int rate, int seconds) throws BenchException {
    int size = sizes.getFirst();
    VaultLoad.Result result;
    List<S3Requests> spent;
    try (World world = new World(() -> open(endpoints), endpoints)) {
      List<S3Requests> before = world.requests();
      result = world.load.open(rate, seconds, size, 10_000);
      // Closing ends the segment: what that costs belongs to these messages.
      world.vault.close();
      for (CountingStore store : world.stores) {
        if (store.inner() instanceof S3Store s3) {
          s3.close();
        }
      }
      spent = since(world, before);
    } catch (IOException e) {
      throw new BenchException("an S3 store cannot be used: " + e.getMessage(), e);
    }
    double share = 1.0 / endpoints.size() / result.kept();
    out.printf(
        Locale.ROOT,
        "%d a second for %d s (%d bytes): p50 %.1f ms, p99 %.1f ms; requests for each message and"
            + " store %.4f; for a million messages and store: put %.0f, multipart %.0f, delete %.0f,"
            + " get %.0f, list %.0f, head %.0f%n",
        rate,
        seconds,
        size,
        result.latencies().millis(0.5),
        result.latencies().millis(0.99),
        spent.stream().mapToLong(S3Requests::total).sum() * share,
        spent.stream().mapToLong(S3Requests::put).sum() * share * 1e6,
        spent.stream().mapToLong(S3Requests::multipart).sum() * share * 1e6,
        spent.stream().mapToLong(S3Requests::delete).sum() * share * 1e6,
        spent.stream().mapToLong(S3Requests::get).sum() * share * 1e6,
        spent.stream().mapToLong(S3Requests::list).sum() * share * 1e6,
        spent.stream().mapToLong(S3Requests::head).sum() * share * 1e6);
    out.flush();
  }

  private static List<S3Requests> since(World world, List<S3Requests> before) {
    List<S3Requests> now = world.requests();
    List<S3Requests> spent = new ArrayList<>();
    for (int i = 0; i < now.size(); i++) {
      spent.add(now.get(i).since(before.get(i)));
    }
    return spent;
  }

  private static List<S3Store> open(List<S3Settings> endpoints) throws IOException {
    List<S3Store> stores = new ArrayList<>();
    for (S3Settings each : endpoints) {
      S3Store store = new S3Store(each);
      store.check();
      stores.add(store);
    }
    return stores;
  }

  private int count(int size) {
    return messages > 0 ? messages : Math.clamp(DEFAULT_BYTES / size, DEFAULT_LEAST, DEFAULT_MOST);
  }

  private int senders(int size) {
    return Math.clamp(IN_FLIGHT / size, 2, senders);
  }

  private static List<DirectoryStore> threeDirectories(Path directory) throws IOException {
    List<DirectoryStore> stores = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      stores.add(new DirectoryStore("store-" + i, directory.resolve("store-" + i)));
    }
    return stores;
  }

  // What the disk alone can do: messages a second.
  private static double disk(Path directory, int size, int messages, double group)
      throws BenchException {
    int bytes = (int) Math.min(16 << 20, Math.max(size, Math.round(size * group)));
    int groups = (int) Math.max(1, Math.round((double) messages * size / bytes));
    byte[] content = new byte[bytes];
    new Random(1).nextBytes(content);
    List<Thread> threads = new ArrayList<>();
    List<IOException> failures = new ArrayList<>();
    long start = System.nanoTime();
    for (int i = 1; i <= 3; i++) {
      Path file = directory.resolve("raw-" + i);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (FileChannel channel =
                        FileChannel.open(
                            file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                      ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).put(content).flip();
                      for (int n = 0; n < groups; n++) {
                        buffer.rewind();
                        while (buffer.hasRemaining()) {
                          channel.write(buffer);
                        }
                        channel.force(false);
                      }
                    } catch (IOException e) {
                      synchronized (failures) {
                        failures.add(e);
                      }
                    }
                  }));
    }
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchException("interrupted", e);
    }
    if (!failures.isEmpty()) {
      throw new BenchException("the disk cannot be measured: " + failures.getFirst());
    }
    return (double) groups * bytes / size * 1e9 / (System.nanoTime() - start);
  }

  /** A vault over counted stores, with one mailbox. */
  private final class World implements AutoCloseable {
    final List<CountingStore> stores;
    final SegmentVault vault;
    final VaultLoad load;

    private final List<S3Settings> endpoints;

    World(Opener opener) throws IOException {
      this(opener, List.of());
    }

    /**
     * @param endpoints to empty in the end
     */
    World(Opener opener, List<S3Settings> endpoints) throws IOException {
      this.endpoints = endpoints;
      stores = opener.open().stream().map(CountingStore::new).toList();
      KeyRing keys =
          new KeyRing(MasterKey.of(Aead.random(Aead.KEY_BYTES)), new Replicas(stores, 2));
      CustomerId customer = CustomerId.create();
      MailboxId mailbox = MailboxId.create();
      keys.createCustomer(customer, "bench");
      keys.createMailbox(customer, mailbox, "bench@example.com");
      vault = new SegmentVault(config, stores, keys, event -> {}, Clock.systemUTC());
      load = new VaultLoad(vault, new MessageFrame.Holder(customer, mailbox));
    }

    long bytes() {
      return stores.stream().mapToLong(CountingStore::bytes).sum();
    }

    long appends() {
      return stores.stream().mapToLong(CountingStore::appends).sum();
    }

    /** What each S3 store has cost. */
    List<S3Requests> requests() {
      return stores.stream()
          .map(CountingStore::inner)
          .filter(S3Store.class::isInstance)
          .map(store -> ((S3Store) store).requests())
          .toList();
    }

    @Override
    public void close() throws IOException {
      vault.close();
      for (CountingStore store : stores) {
        if (store.inner() instanceof S3Store s3) {
          s3.close();
        }
      }
      for (S3Settings each : endpoints) {
        try (S3Store store = new S3Store(each)) {
          empty(store);
        }
      }
    }

    private void empty(S3Store store) throws IOException {
      List<String> objects = new ArrayList<>();
      for (String kind : List.of("keys", "segments", "probe")) {
        store.list(kind, each -> objects.add(each.object()));
      }
      for (String object : objects) {
        store.delete(object);
      }
    }
  }
}
