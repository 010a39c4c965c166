package net.postern.source;

import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import net.postern.config.LimitsConfig;
import net.postern.config.Network;
import net.postern.db.Database;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.Reason;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of those who connect to us, and what follows from it. Answers come from memory, in
 * microseconds; {@link #exchange} shares what was counted with the other nodes. Safe for many
 * threads.
 *
 * <p>It is fed by the checks that ask it, and by the events of mail that was accepted or refused.
 */
public final class Sources implements Events, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Sources.class);

  /** A flood is over when it has paused for so long; the next block is twice as long. */
  private static final Duration FIRST_FLOOD_BLOCK = Duration.ofMinutes(10);

  /** How long waiting for the greeting is remembered. */
  static final Duration PASS_LIFE = Duration.ofDays(30);

  /** A recipient's part of what a message says for its source. */
  private static final double RECIPIENT_WEIGHT = 0.1;

  private static final int MAX_COUNTED_RECIPIENTS = 100;

  private final LimitsConfig config;
  private final List<Network> exempt;
  private final InstantSource clock;
  private final SourceBook book;
  private final Harvest harvest;
  private final Rates rates = new Rates();

  /**
   * @param unlimited networks that nothing here applies to, besides those of {@code limits.exempt}
   * @param key for hashes of what was asked for: random, the same on all nodes
   * @param events gets told when a source is blocked or released; not these sources themselves
   */
  public Sources(
      LimitsConfig config,
      List<Network> unlimited,
      byte[] key,
      Database database,
      Events events,
      InstantSource clock) {
    this.config = config;
    this.exempt =
        java.util.stream.Stream.concat(config.exempt().stream(), unlimited.stream()).toList();
    this.clock = clock;
    this.book =
        new SourceBook(
            new SourceBook.Windows(config.harvestWindow(), config.attackWindow()),
            config.rememberedSources(),
            database,
            events,
            clock);
    this.harvest = new Harvest(book, config, new SecretHash(key));
  }

  /** Whether nothing here applies to a client. */
  public boolean isExempt(InetAddress client) {
    return Network.anyContains(exempt, client);
  }

  /** What a client is taken for. */
  public Grade grade(InetAddress client) {
    return grade(Source.address(client), clock.instant());
  }

  private Grade grade(Source address, Instant now) {
    return book.of(address).standing(now).grade(book.of(address.network()).standing(now));
  }

  /**
   * Whether a client is on the internal block list, itself or with its network. A network's block
   * does not hold addresses with a good name. Floods are {@link #floods another matter}: they are
   * turned away when they connect, and a neighbour's mail is not to bounce for them.
   */
  public Optional<Block> blocked(InetAddress client) {
    Source address = Source.address(client);
    Optional<Block> own = book.blocked(address);
    if (own.isPresent()) {
      return own;
    }
    Optional<Block> network = book.blocked(address.network());
    return network.isPresent()
            && (network.get().kind() == Block.Kind.ADMIN
                || grade(address, clock.instant()) != Grade.GOOD)
            && !isExempt(client)
        ? network
        : Optional.empty();
  }

  /**
   * Counts a recipient that a client asked for.
   *
   * @param trusted whether the client is a customer's own server; asked only when it matters
   */
  public RecipientFinding recipient(
      InetAddress client, AskedRecipient asked, BooleanSupplier trusted) {
    if (isExempt(client)) {
      return RecipientFinding.CLEAR;
    }
    Instant now = clock.instant();
    Source address = Source.address(client);
    return harvest.count(address, asked, grade(address, now), trusted, now);
  }

  /**
   * What a client is taken for, without counting anything: before somebody else is asked whether
   * its recipient exists.
   *
   * @param domain of the recipient, one of ours
   * @param trusted whether the client is a customer's own server; asked only when it matters
   */
  public RecipientFinding suspicion(InetAddress client, String domain, BooleanSupplier trusted) {
    if (isExempt(client)) {
      return RecipientFinding.CLEAR;
    }
    Instant now = clock.instant();
    Source address = Source.address(client);
    return harvest.look(address, domain, grade(address, now), trusted, now);
  }

  /** Counts a connection; whether it may go on as fast. */
  public Pace connect(InetAddress client) {
    return pace(client, meters -> meters.connects, Allowance::connects);
  }

  /** Counts a transaction. */
  public Pace message(InetAddress client) {
    return pace(client, meters -> meters.messages, Allowance::messages);
  }

  /** Counts a recipient that was asked for. */
  public Pace asksRecipient(InetAddress client) {
    return pace(client, meters -> meters.recipients, Allowance::recipients);
  }

  private Pace pace(
      InetAddress client,
      java.util.function.Function<Rates.Meters, Meter> what,
      java.util.function.ToIntFunction<Allowance> limit) {
    if (isExempt(client)) {
      return new Pace.Free();
    }
    Instant now = clock.instant();
    Source address = Source.address(client);
    int rate = rates.add(address, what, now);
    int lowest = limit.applyAsInt(Allowance.of(Grade.BAD, config));
    if (rate <= lowest) {
      return new Pace.Free(); // Whoever it is.
    }
    return Rates.pace(rate, limit.applyAsInt(Allowance.of(grade(address, now), config)));
  }

  /** How many connections a client may have at one time, of those that a neutral one may have. */
  public int connections(InetAddress client, int standard) {
    if (isExempt(client) || grade(client) != Grade.BAD) {
      return standard;
    }
    return Allowance.share(standard, Allowance.percent(Grade.BAD, config));
  }

  /**
   * Counts a connection by its network, before anything else is done for it: this decides whether
   * it is refused at once. A network that connects more than {@code limits.flood} times a minute is
   * blocked for some minutes on all nodes; its addresses with a good name are served.
   */
  public boolean floods(InetAddress client) {
    if (isExempt(client)) {
      return false;
    }
    Source address = Source.address(client);
    Source network = address.network();
    Instant now = clock.instant();
    boolean flooding = book.floods(network);
    if (!flooding && rates.add(network, meters -> meters.connects, now) > config.flood()) {
      book.block(
          network,
          Block.Kind.FLOOD,
          "more than " + config.flood() + " connections a minute",
          FIRST_FLOOD_BLOCK,
          config.longestBlock());
      flooding = true;
    }
    return flooding && grade(address, now) != Grade.GOOD;
  }

  /** Whether a client has to show that it waits for our greeting. */
  public boolean isToWait(InetAddress client) {
    if (isExempt(client)) {
      return false;
    }
    Instant now = clock.instant();
    Source address = Source.address(client);
    return !book.of(address).passedAt().plus(PASS_LIFE).isAfter(now)
        && grade(address, now) != Grade.GOOD;
  }

  /** A client waited for the greeting. */
  public void hasWaited(InetAddress client) {
    Entry entry = book.of(Source.address(client));
    entry.pass(clock.instant());
    book.standingChanged(entry);
  }

  /** Sources that are blocked now. */
  public int blockedNow() {
    return book.blockedNow();
  }

  /** Sources that are half way to a block. */
  public int suspects() {
    return harvest.suspects();
  }

  /** Addresses, networks and domains in memory. */
  public long remembered() {
    return book.remembered();
  }

  /**
   * Shares what is known; called about once a second.
   *
   * @throws SQLException while the database is away; the next turn makes up for it
   */
  public void exchange() throws SQLException {
    harvest.expire(clock.instant());
    book.exchange();
  }

  /** Shares what is left. */
  @Override
  public void close() {
    try {
      book.flush();
    } catch (SQLException e) {
      LOG.warn("what was counted of sources in the last seconds is not shared: {}", e.getMessage());
    }
  }

  @Override
  public void emit(MailEvent event) {
    if (event instanceof MailEvent.Accepted accepted) {
      // Not what somebody takes all the same: that would make a name for spam everywhere.
      boolean wanted = accepted.unwaived().equals("PASS");
      int recipients = Math.min(MAX_COUNTED_RECIPIENTS, accepted.recipients().size());
      act(accepted.peer(), wanted ? 1 + RECIPIENT_WEIGHT * recipients : 0, wanted ? 0 : 1);
    } else if (event instanceof MailEvent.Refused refused) {
      act(refused.peer(), 0, weight(refused.reason()));
    }
  }

  private void act(MailEvent.Peer peer, double forIt, double againstIt) {
    if (forIt == 0 && againstIt == 0) {
      return;
    }
    InetAddress client;
    try {
      client = InetAddress.ofLiteral(peer.address());
    } catch (IllegalArgumentException e) {
      return; // No client of the network.
    }
    if (isExempt(client)) {
      return;
    }
    Instant now = clock.instant();
    Source address = Source.address(client);
    for (Source each : List.of(address, address.network())) {
      Entry entry = book.of(each);
      entry.act(now, forIt, againstIt);
      book.standingChanged(entry);
    }
  }

  /** What a refusal says against who was refused; nothing where it is our doing. */
  private static double weight(Reason reason) {
    return switch (reason) {
      case CONTENT, TOO_MANY_ERRORS, BARE_LINE_END -> 1;
      case EARLY_TALKER, FOREIGN_PROTOCOL -> 2;
      case RELAY_DENIED, PIPELINING, HELO, BLOCK_LIST -> 0.5;
      case UNKNOWN_USER, SYNTAX, SEQUENCE, LINE_TOO_LONG, SPF_FAIL, SENDER_DOMAIN -> 0.1;
      // What one recipient does not want, others may.
      case BLOCKED_SENDER, GREYLISTED -> 0;
      case TOO_BIG, TOO_MANY_RECIPIENTS, TOO_MANY_CONNECTIONS, TIMEOUT -> 0;
      // Of users and registered servers, whom accounts and limits of their own look after.
      case AUTH_REQUIRED, SENDER_DENIED, SEND_LIMIT, LOGIN_FAILED, LOGIN_LOCKED, PROXY -> 0;
      // Follow from what was counted already.
      case SOURCE_BLOCKED, HARVESTING, RATE_LIMIT -> 0;
      // As well our own DNS.
      case SENDER_UNKNOWN -> 0;
      case STORES_UNAVAILABLE, DATABASE_UNAVAILABLE, OVERLOADED, SHUTTING_DOWN, INTERNAL -> 0;
    };
  }
}
