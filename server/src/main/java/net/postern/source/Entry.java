package net.postern.source;

import java.time.Duration;
import java.time.Instant;

/**
 * What is known of one subject. Of each sum it knows three parts: what the database has, what is on
 * the way there, and what is new. Safe for many threads.
 */
final class Entry {
  /** Different members of a network or domain that are told apart. */
  private static final int MEMBERS = 64;

  private final Subject subject;
  private final Window window;
  private double good;
  private double bad;
  private double newGood;
  private double newBad;
  private double sentGood;
  private double sentBad;
  private long passedAt;

  /**
   * @param window how long recipients are counted for
   */
  Entry(Subject subject, Duration window) {
    this.subject = subject;
    boolean isAddress = subject instanceof Source source && !source.isNetwork();
    this.window = new Window(window, isAddress ? Distinct.MAX : MEMBERS);
  }

  Subject subject() {
    return subject;
  }

  synchronized Standing standing(Instant now) {
    return Standing.at(now, good + newGood + sentGood, bad + newBad + sentBad);
  }

  synchronized void act(Instant now, double forIt, double againstIt) {
    double weight = Standing.weight(now);
    newGood += forIt * weight;
    newBad += againstIt * weight;
  }

  /** When it last waited for the greeting; the epoch when it never did. */
  synchronized Instant passedAt() {
    return Instant.ofEpochSecond(passedAt);
  }

  synchronized void pass(Instant now) {
    passedAt = Math.max(passedAt, now.getEpochSecond());
  }

  synchronized void known(Instant now) {
    window.addKnown(now);
  }

  /** The same for one that counts once; whether it had not been counted. */
  synchronized boolean known(Instant now, int member) {
    return window.addKnown(now, member);
  }

  synchronized void unknown(Instant now, int member) {
    window.addUnknown(now, member);
  }

  synchronized boolean hasUnknown(Instant now) {
    return window.hasUnknown(now);
  }

  synchronized Window.Counts counts(Instant now) {
    return window.counts(now);
  }

  /** What a node adds to a standing in the database. */
  record StandingDelta(Subject subject, double good, double bad, long passedAt) {}

  synchronized StandingDelta takeStanding() {
    sentGood = newGood;
    sentBad = newBad;
    newGood = 0;
    newBad = 0;
    return new StandingDelta(subject, sentGood, sentBad, passedAt);
  }

  synchronized void giveBackStanding() {
    newGood += sentGood;
    newBad += sentBad;
    sentGood = 0;
    sentBad = 0;
  }

  synchronized void learnStanding(double allGood, double allBad, long lastPassed) {
    good = allGood;
    bad = allBad;
    sentGood = 0;
    sentBad = 0;
    passedAt = Math.max(passedAt, lastPassed);
  }

  /** Does something with the window while nobody else does. */
  synchronized <T> T withWindow(java.util.function.Function<Window, T> work) {
    return work.apply(window);
  }
}
