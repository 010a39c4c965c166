package net.postern.dns;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Cache;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedResolver;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.ReverseMap;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;
import org.xbill.DNS.lookup.LookupSession;
import org.xbill.DNS.lookup.NoSuchDomainException;
import org.xbill.DNS.lookup.NoSuchRRSetException;

/**
 * Asks name servers through dnsjava: UDP with TCP for what is truncated, answers and denials cached
 * by their TTL, the system's hosts file honoured for addresses. Names are absolute: no search list.
 */
public final class DnsjavaResolver implements Resolver {
  /** Bound on cached names. */
  private static final int CACHE_ENTRIES = 20_000;

  /** Longest that an answer or denial is believed, in seconds, whatever its TTL. */
  private static final int CACHE_SECONDS = 3_600;

  private static final int TRIES = 2;

  private final LookupSession session;
  private final Duration limit;

  private DnsjavaResolver(org.xbill.DNS.Resolver resolver, Duration limit) {
    Cache cache = new Cache(DClass.IN);
    cache.setMaxEntries(CACHE_ENTRIES);
    cache.setMaxCache(CACHE_SECONDS);
    cache.setMaxNCache(CACHE_SECONDS);
    this.session =
        LookupSession.builder().resolver(resolver).cache(cache).defaultHostsFileParser().build();
    this.limit = limit;
  }

  /**
   * Asks the name servers that the system is set up with.
   *
   * @param limit longest time for one answer, all tries together
   */
  public static DnsjavaResolver system(Duration limit) {
    ExtendedResolver resolver = new ExtendedResolver();
    resolver.setRetries(TRIES);
    resolver.setTimeout(limit.dividedBy(TRIES));
    return new DnsjavaResolver(resolver, limit);
  }

  /**
   * Asks one server.
   *
   * @param limit longest time for one answer
   */
  public static DnsjavaResolver of(InetSocketAddress server, Duration limit) {
    SimpleResolver resolver = new SimpleResolver(server);
    resolver.setTimeout(limit);
    return new DnsjavaResolver(resolver, limit);
  }

  @Override
  public Answer<MxRecord> mx(String domain) {
    return ask(
        domain,
        Type.MX,
        r ->
            r instanceof MXRecord mx
                ? Optional.of(new MxRecord(mx.getPriority(), plain(mx.getTarget())))
                : Optional.empty());
  }

  @Override
  public Answer<InetAddress> a(String host) {
    return ask(
        host, Type.A, r -> r instanceof ARecord a ? Optional.of(a.getAddress()) : Optional.empty());
  }

  @Override
  public Answer<InetAddress> aaaa(String host) {
    return ask(
        host,
        Type.AAAA,
        r -> r instanceof AAAARecord a ? Optional.of(a.getAddress()) : Optional.empty());
  }

  @Override
  public Answer<String> txt(String name) {
    return ask(
        name,
        Type.TXT,
        r -> r instanceof TXTRecord txt ? Optional.of(joined(txt)) : Optional.empty());
  }

  @Override
  public Answer<String> ptr(InetAddress address) {
    return ask(
        ReverseMap.fromAddress(address),
        Type.PTR,
        r -> r instanceof PTRRecord ptr ? Optional.of(plain(ptr.getTarget())) : Optional.empty());
  }

  private <T> Answer<T> ask(String name, int type, Function<Record, Optional<T>> read) {
    try {
      return ask(Name.fromString(name.endsWith(".") ? name : name + "."), type, read);
    } catch (TextParseException e) {
      // No name server can know a name that does not fit the DNS.
      return new Answer.NxDomain<>();
    }
  }

  private <T> Answer<T> ask(Name name, int type, Function<Record, Optional<T>> read) {
    try {
      List<Record> records =
          session
              .lookupAsync(name, type)
              .toCompletableFuture()
              .get(limit.toMillis(), TimeUnit.MILLISECONDS)
              .getRecords();
      List<T> values = new ArrayList<>(records.size());
      for (Record record : records) {
        read.apply(record).ifPresent(values::add);
      }
      return values.isEmpty() ? new Answer.NoData<>() : new Answer.Found<>(values);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      return switch (cause) {
        case NoSuchDomainException _ -> new Answer.NxDomain<>();
        case NoSuchRRSetException _ -> new Answer.NoData<>();
        case null -> new Answer.Failure<>("DNS: no answer for " + name);
        case Throwable other -> new Answer.Failure<>("DNS: " + reason(name, other));
      };
    } catch (TimeoutException e) {
      return new Answer.Failure<>(
          "DNS: no answer for " + name + " within " + limit.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer.Failure<>("DNS: interrupted");
    }
  }

  private static String reason(Name name, Throwable cause) {
    if (cause instanceof UnknownHostException) {
      return "name server of this machine is unknown";
    }
    String message = cause.getMessage();
    return message == null ? "no answer for " + name : message;
  }

  private static String plain(Name name) {
    String text = name.toString(true).toLowerCase(Locale.ROOT);
    return text.equals(".") ? "" : text;
  }

  private static String joined(TXTRecord record) {
    StringBuilder out = new StringBuilder();
    for (byte[] part : record.getStringsAsByteArrays()) {
      out.append(new String(part, StandardCharsets.UTF_8));
    }
    return out.toString();
  }
}
