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
 * certificate is used without a restart. Files that cannot be used leave the old certificate in
 * force, and say so in the log; the other certificates are renewed all the same. A certificate that
 * Postern made itself is made again before it expires.
 *
 * <p>Safe for many threads. The files are looked at by the caller, at most every ten seconds.
 */
public final class CertificateWatch implements Supplier<SSLContext> {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateWatch.class);

  private static final Duration INTERVAL = Duration.ofSeconds(10);

  private static final FileTime NEVER = FileTime.fromMillis(0);

  private final EdgeConfig config;
  private final String hostname;
  private final Path data;
  private final InstantSource clock;
  private final Duration interval;

  /** A certificate, and when its files were last changed before they were read. */
  private record Part(ServerNames.Identity identity, List<FileTime> times) {}

  /** A context, what it is made of in the order of the sources, and when that was looked at. */
  private record Loaded(SSLContext context, List<Part> parts, long lookedNanos) {}

  private final List<ServerTls.Source> sources;
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
    this.sources = ServerTls.sources(config, data);
    var _ = ServerTls.makeOwn(config, hostname, data, clock.instant());
    List<Part> parts = new ArrayList<>();
    for (ServerTls.Source each : sources) {
      parts.add(read(each, times(each)));
    }
    this.loaded = loaded(parts);
  }

  @Override
  public SSLContext get() {
    Loaded now = loaded;
    if (System.nanoTime() - now.lookedNanos() < interval.toNanos()) {
      return now.context();
    }
    boolean made = false;
    try {
      made = ServerTls.makeOwn(config, hostname, data, clock.instant());
    } catch (TlsException e) {
      LOG.error("the certificate in force stays, no new one can be made: {}", e.getMessage());
    }
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < sources.size(); i++) {
      parts.add(renewed(sources.get(i), now.parts().get(i), made));
    }
    loaded =
        parts.equals(now.parts())
            ? new Loaded(now.context(), now.parts(), System.nanoTime())
            : loaded(parts);
    return loaded.context();
  }

  // Each on its own: one that cannot be used does not keep the others from being renewed.
  private static Part renewed(ServerTls.Source source, Part before, boolean made) {
    try {
      List<FileTime> times = times(source);
      if (!made && times.equals(before.times())) {
        return before;
      }
      Part fresh = read(source, times);
      LOG.info("the certificate {} was loaded anew", source.certificate());
      return fresh;
    } catch (TlsException e) {
      LOG.error(
          "the certificate in force for {} stays, the new one cannot be used: {}",
          source.certificate(),
          e.getMessage());
      return before;
    }
  }

  private static Part read(ServerTls.Source source, List<FileTime> times) {
    return new Part(ServerTls.identity(source), times);
  }

  private static Loaded loaded(List<Part> parts) {
    return new Loaded(
        ServerTls.load(parts.stream().map(Part::identity).toList()),
        List.copyOf(parts),
        System.nanoTime());
  }

  // Taken before the files are read: what is written meanwhile is found the next time. What has no
  // time cannot be read either, and reading says why.
  private static List<FileTime> times(ServerTls.Source source) {
    List<FileTime> times = new ArrayList<>();
    for (Path each : List.of(source.certificate(), source.privateKey())) {
      try {
        times.add(Files.getLastModifiedTime(each));
      } catch (IOException e) {
        times.add(NEVER);
      }
    }
    return times;
  }
}
