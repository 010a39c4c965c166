package net.postern.auth;

import java.net.InetAddress;
import java.time.Duration;
import net.postern.dns.Answer;
import net.postern.dns.MxRecord;
import net.postern.dns.Resolver;

/** Counts the questions that another resolver is asked. Belongs to one thread. */
final class CountingResolver implements Resolver {
  private final Resolver resolver;
  private int questions;

  CountingResolver(Resolver resolver) {
    this.resolver = resolver;
  }

  int questions() {
    return questions;
  }

  @Override
  public Answer<MxRecord> mx(String domain) {
    questions++;
    return resolver.mx(domain);
  }

  @Override
  public Answer<InetAddress> a(String host) {
    questions++;
    return resolver.a(host);
  }

  @Override
  public Answer<InetAddress> aaaa(String host) {
    questions++;
    return resolver.aaaa(host);
  }

  @Override
  public Answer<String> txt(String name) {
    questions++;
    return resolver.txt(name);
  }

  @Override
  public Answer<String> ptr(InetAddress address) {
    questions++;
    return resolver.ptr(address);
  }

  @Override
  public Resolver within(Duration limit) {
    return this;
  }
}
