package net.postern.dns;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Answers from maps that can be changed at any time. A name that has no record of any type does not
 * exist. Safe for many threads.
 */
public final class MapResolver implements Resolver {
  private final Map<String, List<MxRecord>> mx = new ConcurrentHashMap<>();
  private final Map<String, List<InetAddress>> a = new ConcurrentHashMap<>();
  private final Map<String, List<InetAddress>> aaaa = new ConcurrentHashMap<>();
  private final Map<String, List<String>> txt = new ConcurrentHashMap<>();
  private final Map<InetAddress, List<String>> ptr = new ConcurrentHashMap<>();
  private final Map<String, String> failures = new ConcurrentHashMap<>();

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

  public MapResolver ptr(String address, String... names) {
    ptr.put(InetAddress.ofLiteral(address), List.of(names));
    return this;
  }

  /** From now on every question for this name fails. */
  public MapResolver failing(String name, String reason) {
    failures.put(key(name), reason);
    return this;
  }

  /** Undoes {@link #failing}. */
  public MapResolver mended(String name) {
    failures.remove(key(name));
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
    List<String> names = ptr.getOrDefault(address, List.of());
    return names.isEmpty() ? new Answer.NxDomain<>() : new Answer.Found<>(names);
  }

  private <T> Answer<T> answer(String name, Map<String, List<T>> type) {
    String key = key(name);
    String failure = failures.get(key);
    if (failure != null) {
      return new Answer.Failure<>(failure);
    }
    List<T> records = type.getOrDefault(key, List.of());
    if (!records.isEmpty()) {
      return new Answer.Found<>(records);
    }
    boolean exists =
        mx.containsKey(key) || a.containsKey(key) || aaaa.containsKey(key) || txt.containsKey(key);
    return exists ? new Answer.NoData<>() : new Answer.NxDomain<>();
  }

  private static List<InetAddress> literals(String[] addresses) {
    return Arrays.stream(addresses).map(InetAddress::ofLiteral).toList();
  }

  private static String key(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }
}
