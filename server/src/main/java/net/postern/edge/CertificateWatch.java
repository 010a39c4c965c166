package net.postern.edge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import net.postern.config.EdgeConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS context for STARTTLS, made anew when the certificate's files have changed: a renewed
 * certificate is used without a restart. Files that cannot be used leave the old context in force,
 * and say so in the log. A certificate that Postern made itself is made again before it expires.
 *
 * <p>Safe for many threads. The files are looked at by the caller, at most every ten seconds.
 */
public final class CertificateWatch implements Supplier<SSLContext> {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateWatch.class);

  private static final Duration INTERVAL = Duration.ofSeconds(10);

  private final EdgeConfig config;
  private final String hostname;
  private final Path data;
  private final InstantSource clock;
  private final Duration interval;

  /** A context, what its files looked like, and when that was last looked at. */
  private record Loaded(SSLContext context, List<FileTime> files, long lookedNanos) {}

  private volatile Loaded loaded;

  /**
   * Loads the certificate.
   *
   * @throws TlsException when it cannot be used, or none can be made
   */
  public CertificateWatch(EdgeConfig config, String hostname, Path data, InstantSource clock) {
    this(config, hostname, data, clock, INTERVAL);
  }

  CertificateWatch(
      EdgeConfig config, String hostname, Path data, InstantSource clock, Duration interval) {
    this.config = config;
    this.hostname = hostname;
    this.data = data;
    this.clock = clock;
    this.interval = interval;
    this.loaded = load();
  }

  @Override
  public SSLContext get() {
    Loaded now = loaded;
    if (System.nanoTime() - now.lookedNanos() < interval.toNanos()) {
      return now.context();
    }
    try {
      boolean same =
          now.files().equals(files()) && !ServerTls.isDue(config, hostname, data, clock.instant());
      loaded = same ? new Loaded(now.context(), now.files(), System.nanoTime()) : reload();
    } catch (TlsException | IOException e) {
      LOG.error("the certificate in force stays, the new one cannot be used: {}", e.getMessage());
      loaded = new Loaded(now.context(), now.files(), System.nanoTime());
    }
    return loaded.context();
  }

  private Loaded reload() {
    Loaded fresh = load();
    LOG.info("the certificate was loaded anew");
    return fresh;
  }

  private Loaded load() {
    SSLContext context = ServerTls.context(config, hostname, data, clock.instant());
    try {
      return new Loaded(context, files(), System.nanoTime());
    } catch (IOException e) {
      throw new TlsException("the certificate's files cannot be read: " + e, e);
    }
  }

  private List<FileTime> files() throws IOException {
    List<FileTime> times = new ArrayList<>();
    for (Path each : ServerTls.files(config, data)) {
      times.add(Files.getLastModifiedTime(each));
    }
    return times;
  }
}
