package net.postern.dns;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Answers from maps that can be changed at any time. A name that has no record of any type does not
 * exist. Safe for many threads.
 */
public final class MapResolver implements Resolver {
  private static final int MAX_ALIASES = 10;

  private final Map<String, List<MxRecord>> mx = new ConcurrentHashMap<>();
  private final Map<String, List<InetAddress>> a = new ConcurrentHashMap<>();
  private final Map<String, List<InetAddress>> aaaa = new ConcurrentHashMap<>();
  private final Map<String, List<String>> txt = new ConcurrentHashMap<>();
  private final Map<String, List<String>> ptr = new ConcurrentHashMap<>();
  private final Map<String, String> aliases = new ConcurrentHashMap<>();
  private final Map<String, String> failures = new ConcurrentHashMap<>();
  private final Map<String, String> failuresBeyond = new ConcurrentHashMap<>();

  public MapResolver mx(String domain, MxRecord... records) {
    mx.put(key(domain), List.of(records));
    return this;
  }

  /**
   * @param addresses IPv4 literals
   * @throws IllegalArgumentException for what is no literal
   */
  public MapResolver a(String host, String... addresses) {
    a.put(key(host), literals(addresses));
    return this;
  }

  /**
   * @param addresses IPv6 literals
   * @throws IllegalArgumentException for what is no literal
   */
  public MapResolver aaaa(String host, String... addresses) {
    aaaa.put(key(host), literals(addresses));
    return this;
  }

  public MapResolver txt(String name, String... texts) {
    txt.put(key(name), List.of(texts));
    return this;
  }

  /**
   * @param address a literal, or its name below {@code arpa}
   */
  public MapResolver ptr(String address, String... names) {
    boolean name = key(address).endsWith(".arpa");
    ptr.put(
        name ? key(address) : DnsNames.reverse(InetAddress.ofLiteral(address)),
        Stream.of(names).map(MapResolver::key).toList());
    return this;
  }

  /** From now on a name stands for another one. */
  public MapResolver alias(String name, String target) {
    aliases.put(key(name), target);
    return this;
  }

  /** From now on every question for this name fails. */
  public MapResolver failing(String name, String reason) {
    failures.put(key(name), reason);
    return this;
  }

  /** From now on questions for this name fail for types of which it has no records. */
  public MapResolver failingBeyond(String name, String reason) {
    failuresBeyond.put(key(name), reason);
    return this;
  }

  /** Undoes {@link #failing} and {@link #failingBeyond}. */
  public MapResolver mended(String name) {
    failures.remove(key(name));
    failuresBeyond.remove(key(name));
    return this;
  }

  @Override
  public Answer<MxRecord> mx(String domain) {
    return answer(domain, mx);
  }

  @Override
  public Answer<InetAddress> a(String host) {
    return answer(host, a);
  }

  @Override
  public Answer<InetAddress> aaaa(String host) {
    return answer(host, aaaa);
  }

  @Override
  public Answer<String> txt(String name) {
    return answer(name, txt);
  }

  @Override
  public Answer<String> ptr(InetAddress address) {
    return answer(DnsNames.reverse(address), ptr);
  }

  @Override
  public MapResolver within(Duration limit) {
    return this;
  }

  private <T> Answer<T> answer(String name, Map<String, List<T>> type) {
    String key = key(name);
    for (int i = 0; i <= MAX_ALIASES; i++) {
      String failure = failures.get(key);
      if (failure != null) {
        return new Answer.Failure<>(failure, Answer.Cause.SAID);
      }
      List<T> records = type.getOrDefault(key, List.of());
      if (!records.isEmpty()) {
        return new Answer.Found<>(records);
      }
      String target = aliases.get(key);
      if (target == null) {
        return without(key);
      }
      key = key(target);
    }
    return new Answer.Failure<>("the aliases of " + name + " do not end", Answer.Cause.SAID);
  }

  private <T> Answer<T> without(String key) {
    String failure = failuresBeyond.get(key);
    if (failure != null) {
      return new Answer.Failure<>(failure, Answer.Cause.SAID);
    }
    return Stream.of(mx, a, aaaa, txt, ptr).anyMatch(all -> all.containsKey(key))
        ? new Answer.NoData<>()
        : new Answer.NxDomain<>();
  }

  private static List<InetAddress> literals(String[] addresses) {
    return Arrays.stream(addresses).map(InetAddress::ofLiteral).toList();
  }

  private static String key(String name) {
    return DnsNames.canonical(name);
  }
}
