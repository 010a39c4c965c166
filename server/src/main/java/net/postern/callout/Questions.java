package net.postern.callout;

import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import net.postern.address.EmailAddress;
import net.postern.smtp.Reply;
import net.postern.smtp.client.RecipientOutcome;
import net.postern.smtp.client.SmtpConnection;
import net.postern.tenant.Route;
import net.postern.tenant.Tenants;

/**
 * Puts one question to a customer's servers, in the order of the route, over at most so many
 * connections at one time. The permit is taken before a connection and given back in {@code
 * finally}.
 */
final class Questions implements AutoCloseable {
  /** How long a route none of whose servers could be reached is left alone. */
  private static final long AWAY_NANOS = Duration.ofSeconds(5).toNanos();

  private static final Duration LEAST = Duration.ofMillis(1);

  private final ServerPool pool;
  private final int connections;
  private final Duration budget;
  private final Map<Route.Smtp, Semaphore> permits = new ConcurrentHashMap<>();
  private final Map<Route.Smtp, Away> away = new ConcurrentHashMap<>();

  private record Away(long until, String why) {}

  /**
   * @param wasKnown whether the server said yes the last time
   * @param probe whether to find out, after a yes, if it says yes to everything
   */
  record Question(EmailAddress address, boolean wasKnown, boolean probe) {}

  Questions(ServerPool pool, int connections, Duration budget) {
    this.pool = pool;
    this.connections = connections;
    this.budget = budget;
  }

  /**
   * Asks; takes no longer than the budget.
   *
   * @throws InterruptedException while waiting for a permit
   */
  Verdict ask(Question question, Route route) throws InterruptedException {
    if (!(route instanceof Route.Smtp servers)) {
      return new Verdict.CannotTell(
          "the domain's route leads to no SMTP server that could be asked; see 'admin route smtp'");
    }
    Away until = away.get(servers);
    if (until != null && System.nanoTime() - until.until() < 0) {
      return new Verdict.CannotTell(until.why());
    }
    long end = System.nanoTime() + budget.toNanos();
    Semaphore permit = permits.computeIfAbsent(servers, key -> new Semaphore(connections));
    if (!permit.tryAcquire(budget.toNanos(), TimeUnit.NANOSECONDS)) {
      return new Verdict.CannotTell("too many questions to " + servers.targets() + " at one time");
    }
    try {
      return ask(question, servers, end);
    } finally {
      permit.release();
    }
  }

  private Verdict ask(Question question, Route.Smtp servers, long end) {
    String why = "";
    boolean reached = false;
    for (Route.Target target : servers.targets()) {
      ServerPool.Server server = new ServerPool.Server(target, servers.tls());
      for (boolean fresh : new boolean[] {false, true}) {
        ServerPool.Opened opened = pool.open(server, fresh, left(end));
        if (opened.connection().isEmpty()) {
          why = target + ": " + opened.why();
          break;
        }
        reached = true;
        SmtpConnection connection = opened.connection().get();
        RecipientOutcome outcome = one(connection, question.address(), end);
        try {
          if (outcome instanceof RecipientOutcome.Lost lost && opened.kept() && !lost.timedOut()) {
            // It had been closed at the other end; that is nobody's fault.
            continue;
          }
          Verdict verdict = verdict(question, connection, outcome, end);
          if (!(verdict instanceof Verdict.CannotTell(String reason))) {
            away.remove(servers);
            return verdict;
          }
          why = target + ": " + reason;
        } finally {
          pool.giveBack(server, connection);
        }
        break;
      }
    }
    if (!reached) {
      away.put(servers, new Away(System.nanoTime() + AWAY_NANOS, why));
    }
    return new Verdict.CannotTell(why);
  }

  private static Verdict verdict(
      Question question, SmtpConnection connection, RecipientOutcome outcome, long end) {
    return switch (Meaning.of(outcome)) {
      case CANNOT_TELL -> new Verdict.CannotTell(said(outcome));
      case EXISTS -> {
        boolean takesAll =
            question.probe()
                && Meaning.of(one(connection, nobody(question.address()), end)) == Meaning.EXISTS;
        yield takesAll ? new Verdict.TakesAll() : new Verdict.Exists(said(outcome));
      }
      case UNKNOWN -> {
        // A server that begins to refuse whatever we ask, without saying why, has not lost a user.
        boolean doubtful =
            question.wasKnown()
                && outcome instanceof RecipientOutcome.Replied(Reply reply, var _)
                && !Meaning.saysWhy(reply)
                && Meaning.of(one(connection, postmaster(question.address()), end))
                    != Meaning.EXISTS;
        yield doubtful
            ? new Verdict.CannotTell(
                "it refuses its own postmaster as well (RFC 5321 §4.5.1): " + said(outcome))
            : new Verdict.Unknown(said(outcome));
      }
    };
  }

  private static RecipientOutcome one(SmtpConnection connection, EmailAddress address, long end) {
    return connection.verify(List.of(address), left(end)).getFirst();
  }

  private static EmailAddress nobody(EmailAddress beside) {
    byte[] random = new byte[10];
    ThreadLocalRandom.current().nextBytes(random);
    return new EmailAddress("no-such-user-" + HexFormat.of().formatHex(random), beside.domain());
  }

  private static EmailAddress postmaster(EmailAddress beside) {
    return new EmailAddress(Tenants.POSTMASTER, beside.domain());
  }

  private static Duration left(long end) {
    Duration left = Duration.ofNanos(end - System.nanoTime());
    return left.compareTo(LEAST) < 0 ? LEAST : left;
  }

  private static String said(RecipientOutcome outcome) {
    return switch (outcome) {
      case RecipientOutcome.Replied(Reply reply, RecipientOutcome.Stage stage) ->
          (stage == RecipientOutcome.Stage.MAIL ? "MAIL: " : "") + reply;
      case RecipientOutcome.Lost lost -> lost.why();
      case RecipientOutcome.Unsendable unsendable -> unsendable.why();
    };
  }

  /** Says goodbye on connections that nobody used for a while. */
  void tidy() {
    pool.tidy();
    away.values().removeIf(each -> System.nanoTime() - each.until() > 0);
    // A permit that is in use is still given back to its own semaphore.
    permits.values().removeIf(each -> each.availablePermits() == connections);
  }

  @Override
  public void close() {
    pool.close();
  }
}
