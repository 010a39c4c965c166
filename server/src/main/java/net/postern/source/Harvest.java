package net.postern.source;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import net.postern.config.LimitsConfig;

/**
 * Tells those who try out recipients from those who mistype one.
 *
 * <p>Both ask for recipients that do not exist. Who mistypes has mostly others that do: so a source
 * is judged by how many different unknown recipients it asked for in the last hour, over all
 * customers and nodes, <em>and</em> by their share of all that it asked for. Half way to the
 * threshold it is suspect and learns nothing any more: every recipient gets the same answer, late.
 * At the threshold it is blocked.
 *
 * <p>An attack that is spread over many sources shows at the domain it is aimed at: many sources
 * with unknown recipients within minutes, and a share of unknown recipients far above the domain's
 * usual. While it lasts, two are enough for a source that is new to us. The same holds in an IPv4
 * network of which many unknown recipients were asked for; an IPv6 /48, which has one owner, is
 * blocked itself.
 */
final class Harvest {
  /** A source with a good name may ask for so many times more. */
  private static final int GOOD_CREDIT = 4;

  /** While an attack lasts, for a source that is new. */
  private static final int ATTACK_THRESHOLD = 2;

  /** A network's threshold is so many times that of an address. */
  private static final int NETWORK_FACTOR = 4;

  /** The share for what is only seen from a distance: nearly all of it has to be unknown. */
  private static final double CLEAR_SHARE = 0.8;

  /** From this share on a domain is under attack, whatever is usual there. */
  private static final double ATTACK_SHARE = 0.8;

  /** The least that is far above the usual. */
  private static final double UNUSUAL_SHARE = 0.25;

  private static final double UNUSUAL_FACTOR = 5;

  /** Recipients on record from which on a domain's usual share is known. */
  private static final double USUAL_LEAST = 100;

  /** A domain of which so much is usual is not under attack: it is always like that. */
  private static final double USUALLY_UNKNOWN = 0.5;

  /** A server of a customer's own is never blocked; beyond this it is deferred. */
  private static final int TRUSTED_THRESHOLD = 50;

  private static final int MAX_SUSPECTS = 50_000;

  private final SourceBook book;
  private final LimitsConfig config;
  private final Map<Source, Suspicion> suspects = new ConcurrentHashMap<>();

  private record Suspicion(Instant last, int step) {}

  Harvest(SourceBook book, LimitsConfig config) {
    this.book = book;
    this.config = config;
  }

  /** What counts say of a source, the worst last. */
  enum Opinion {
    CLEAR,
    SUSPECT,
    HARVESTS
  }

  /**
   * The rule, and nothing else.
   *
   * @param threshold unknown recipients that are too many
   * @param share the least part of unknown ones, 0 to 1
   */
  static Opinion judge(Window.Counts counts, int threshold, double share) {
    if (counts.memberShare() < share || 2 * counts.members() < threshold) {
      return Opinion.CLEAR;
    }
    return counts.members() >= threshold ? Opinion.HARVESTS : Opinion.SUSPECT;
  }

  /** Counts one recipient that was asked for, and says what the source is taken for. */
  RecipientFinding count(
      Source address,
      String domain,
      String recipient,
      boolean known,
      Grade grade,
      BooleanSupplier trusted,
      Instant now) {
    Entry mine = book.of(address);
    Entry network = book.of(address.network());
    Entry target = book.of(new Target(domain));
    if (known) {
      count(mine, now);
      count(network, now);
      count(target, now);
    } else {
      int hash = Distinct.hash(recipient);
      countUnknown(mine, hash, now);
      countUnknown(network, hash, now);
      countUnknown(target, Distinct.hash(address.text()), now);
    }
    boolean attacked = usual(target, known, now);
    if (!mine.hasUnknown(now)) {
      return RecipientFinding.CLEAR;
    }
    return find(address, mine, network, attacked, grade, trusted, now);
  }

  /** What a source is taken for by what was counted before. */
  RecipientFinding look(
      Source address, String domain, Grade grade, BooleanSupplier trusted, Instant now) {
    Entry mine = book.of(address);
    if (!mine.hasUnknown(now)) {
      return RecipientFinding.CLEAR;
    }
    Entry target = book.of(new Target(domain));
    boolean attacked = target.hasUnknown(now) && attacked(target, now);
    return find(address, mine, book.of(address.network()), attacked, grade, trusted, now);
  }

  private RecipientFinding find(
      Source address,
      Entry mine,
      Entry network,
      boolean attacked,
      Grade grade,
      BooleanSupplier trusted,
      Instant now) {
    double share = config.harvestShare() / 100.0;
    Window.Counts counts = mine.counts(now);
    Opinion around =
        judge(network.counts(now), NETWORK_FACTOR * config.harvestUnknown(), CLEAR_SHARE);
    int threshold =
        grade == Grade.GOOD ? GOOD_CREDIT * config.harvestUnknown() : config.harvestUnknown();
    Opinion opinion = judge(counts, threshold, share);
    if (grade == Grade.NEW && (attacked || around == Opinion.HARVESTS)) {
      Opinion strict = judge(counts, ATTACK_THRESHOLD, CLEAR_SHARE);
      opinion = strict.compareTo(opinion) > 0 ? strict : opinion;
    }
    if (opinion == Opinion.CLEAR) {
      suspects.remove(address);
      return RecipientFinding.CLEAR;
    }
    if (trusted.getAsBoolean()) {
      return judge(counts, TRUSTED_THRESHOLD, share) == Opinion.HARVESTS
          ? suspect(address, now)
          : RecipientFinding.CLEAR;
    }
    if (opinion == Opinion.SUSPECT) {
      return suspect(address, now);
    }
    suspects.remove(address);
    if (address.ipv6() && around == Opinion.HARVESTS) {
      block(address.network());
    }
    return new RecipientFinding.Blocked(block(address));
  }

  private Block block(Source source) {
    return book.block(
        source,
        Block.Kind.HARVEST,
        "too many recipients that do not exist were asked for",
        config.firstBlock(),
        config.longestBlock());
  }

  private RecipientFinding suspect(Source address, Instant now) {
    if (suspects.size() >= MAX_SUSPECTS && !suspects.containsKey(address)) {
      return new RecipientFinding.Suspect(1);
    }
    Suspicion is =
        suspects.merge(
            address, new Suspicion(now, 1), (old, one) -> new Suspicion(now, old.step() + 1));
    return new RecipientFinding.Suspect(is.step());
  }

  /** Sources that are half way to the threshold. */
  int suspects() {
    return suspects.size();
  }

  /** Forgets suspicions that nothing was added to for as long as recipients are counted. */
  void expire(Instant now) {
    Duration window = config.harvestWindow();
    suspects.values().removeIf(each -> !now.isBefore(each.last().plus(window)));
  }

  private void count(Entry entry, Instant now) {
    entry.known(now);
    // Those with nothing but known recipients concern no other node.
    if (entry.hasUnknown(now)) {
      book.windowChanged(entry);
    }
  }

  private void countUnknown(Entry entry, int member, Instant now) {
    entry.unknown(now, member);
    book.windowChanged(entry);
  }

  // What is usual is learned as long as there is no attack, which would soon be usual itself.
  private boolean usual(Entry target, boolean known, Instant now) {
    if (target.hasUnknown(now) && attacked(target, now)) {
      return true;
    }
    target.act(now, known ? 1 : 0, known ? 0 : 1);
    book.standingChanged(target);
    return false;
  }

  private boolean attacked(Entry target, Instant now) {
    Window.Counts counts = target.counts(now);
    if (counts.members() < config.attackSources()) {
      return false;
    }
    Standing usual = target.standing(now);
    boolean usualKnown = usual.total() >= USUAL_LEAST;
    if (usualKnown && usual.badShare() >= USUALLY_UNKNOWN) {
      return false;
    }
    double share = counts.unknownShare();
    return share >= ATTACK_SHARE
        || (usualKnown && share >= UNUSUAL_SHARE && share >= UNUSUAL_FACTOR * usual.badShare());
  }
}
