package net.postern.callout;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.postern.address.EmailAddress;
import net.postern.config.CalloutConfig;
import net.postern.db.Database;
import net.postern.dns.Resolver;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import net.postern.events.MailEvent.DirectoryMatter;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;
import net.postern.tenant.AddressValidator;
import net.postern.tenant.Directory;
import net.postern.tenant.Recipient;
import net.postern.tenant.RecipientLookup;
import net.postern.tenant.Route;
import net.postern.tenant.Routing;
import net.postern.tenant.TenantException;
import net.postern.tenant.Tenants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers from what customers' servers said before, and asks them for the rest.
 *
 * <ul>
 *   <li>A yes counts for {@code callout.positive_life}; after {@code callout.refresh} it is asked
 *       again in the background. While the server cannot say, a yes counts beyond its life.
 *   <li>A no counts for {@code callout.negative_life} and never longer.
 *   <li>What the server cannot say is 451, or accepted where the customer wants that.
 *   <li>A server that takes an address that cannot exist takes everything: its yes is used, but
 *       makes no mailboxes; it is probed again after {@code callout.refresh}.
 * </ul>
 *
 * An address gets a mailbox with a key of its own at its first yes, so that who tries out addresses
 * makes none.
 *
 * <p>Threads: one question at a time for an address, on a virtual thread of its own; whoever wants
 * to know waits for it, no longer than the budget.
 */
public final class Callouts implements AddressValidator, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Callouts.class);

  /** Questions in the background at one time; more are left for the next message. */
  private static final int MAX_BACKGROUND = 100;

  private static final int MADE = 100_000;

  /** How long a yes is kept for the case that its server is away when it is next asked for. */
  private static final Duration KEEP = Duration.ofDays(180);

  private final CalloutConfig config;
  private final Tenants tenants;
  private final CalloutAnswers answers;
  private final Questions questions;
  private final Events events;
  private final InstantSource clock;
  private final Cache<String, MailboxId> made;
  private final Map<String, CompletableFuture<Verdict>> underWay = new ConcurrentHashMap<>();
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("callout-", 0).factory());

  /**
   * @param remember how long a mailbox that was made answers without the database: it may be erased
   *     meanwhile, so no longer than an answer of the directory is fresh
   */
  public Callouts(
      CalloutConfig config,
      Duration remember,
      String hostname,
      Database database,
      Tenants tenants,
      Resolver resolver,
      Events events,
      InstantSource clock) {
    this.config = config;
    this.made = Caffeine.newBuilder().maximumSize(MADE).expireAfterWrite(remember).build();
    this.tenants = tenants;
    this.answers = new CalloutAnswers(database);
    this.questions =
        new Questions(
            new ServerPool(hostname, config.budget(), resolver),
            config.connections(),
            config.budget());
    this.events = events;
    this.clock = clock;
  }

  @Override
  public RecipientLookup validate(Unlisted unlisted, Directory.Asking asking, Routing routes) {
    Instant now = clock.instant();
    CalloutAnswers.Domain domain = answers.domain(unlisted.address().domain());
    boolean probed = now.isBefore(domain.probedAt().plus(config.refresh()));
    if (domain.takesAll().orElse(false) && probed) {
      return shared(unlisted);
    }
    Optional<CalloutAnswers.Answer> last = answers.find(unlisted.address());
    boolean wasKnown = last.isPresent() && last.get().known();
    Duration age = last.map(each -> Duration.between(each.at(), now)).orElse(Duration.ZERO);
    var question = new Questions.Question(unlisted.address(), wasKnown, !probed);
    if (wasKnown && age.compareTo(config.positiveLife()) < 0) {
      boolean again = age.compareTo(config.refresh()) >= 0 && underWay.size() < MAX_BACKGROUND;
      if (again && asking == Directory.Asking.FORBIDDEN) {
        return unasked(unlisted);
      }
      if (again) {
        CompletableFuture<Verdict> _ = begin(unlisted.customer(), question, last, routes);
      }
      return own(unlisted);
    }
    if (last.isPresent() && !wasKnown && age.compareTo(config.negativeLife()) < 0) {
      return new RecipientLookup.UnknownUser(unlisted.customer());
    }
    if (asking == Directory.Asking.FORBIDDEN) {
      return unasked(unlisted);
    }
    return switch (await(begin(unlisted.customer(), question, last, routes))) {
      case Verdict.Exists _ -> own(unlisted);
      case Verdict.TakesAll() -> shared(unlisted);
      case Verdict.Unknown _ -> new RecipientLookup.UnknownUser(unlisted.customer());
      case Verdict.CannotTell(String why) -> {
        if (wasKnown) {
          yield own(unlisted);
        }
        yield unlisted.acceptUnknown()
            ? shared(unlisted)
            : new RecipientLookup.Unavailable("the customer's server cannot say: " + why);
      }
    };
  }

  private RecipientLookup own(Unlisted unlisted) {
    if (unlisted.mailbox().isPresent()) {
      return found(unlisted, unlisted.mailbox().get(), unlisted.base().key());
    }
    String base = unlisted.base().key();
    if (answers.isAway()) {
      return madeBefore(unlisted);
    }
    try {
      MailboxId mailbox = tenants.addFound(unlisted.base());
      made.put(base, mailbox);
      return found(unlisted, mailbox, base);
    } catch (TenantException | RuntimeException e) {
      LOG.warn("no mailbox for an address that a customer's server has: {}", e.getMessage());
      return madeBefore(unlisted);
    }
  }

  // The directory's last word may be from before the mailbox was made.
  private RecipientLookup madeBefore(Unlisted unlisted) {
    MailboxId before = made.getIfPresent(unlisted.base().key());
    return before == null
        ? new RecipientLookup.Unavailable("a mailbox could not be made")
        : found(unlisted, before, unlisted.base().key());
  }

  private static RecipientLookup shared(Unlisted unlisted) {
    return unlisted
        .mailbox()
        .or(unlisted::shared)
        .map(mailbox -> found(unlisted, mailbox, ""))
        .orElseGet(
            () -> new RecipientLookup.Unavailable("the domain has no mailbox for all addresses"));
  }

  private static RecipientLookup unasked(Unlisted unlisted) {
    return new RecipientLookup.Unasked(unlisted.customer(), unlisted.mailbox(), unlisted.shared());
  }

  private static RecipientLookup found(Unlisted unlisted, MailboxId mailbox, String listed) {
    return new RecipientLookup.Found(
        new Recipient(unlisted.address(), unlisted.customer(), mailbox), listed);
  }

  /** Whether no question is under way, and the answers of those that were are entered. */
  boolean isIdle() {
    return underWay.isEmpty();
  }

  // ---- asking ----

  private CompletableFuture<Verdict> begin(
      CustomerId customer,
      Questions.Question question,
      Optional<CalloutAnswers.Answer> last,
      Routing routes) {
    String key = question.address().key();
    CompletableFuture<Verdict> mine = new CompletableFuture<>();
    CompletableFuture<Verdict> first = underWay.putIfAbsent(key, mine);
    if (first != null) {
      return first;
    }
    try {
      threads.execute(
          () -> {
            Verdict verdict = new Verdict.CannotTell("the question failed");
            try {
              verdict =
                  since(question.address(), last).orElseGet(() -> ask(customer, question, routes));
            } catch (RuntimeException e) {
              LOG.error("a question to a customer's server failed", e);
            } finally {
              underWay.remove(key);
              mine.complete(verdict);
            }
          });
    } catch (java.util.concurrent.RejectedExecutionException e) {
      underWay.remove(key);
      mine.complete(new Verdict.CannotTell("this node is stopping"));
    }
    return mine;
  }

  // Who looked before the answer came and begins after it was kept need not ask once more.
  private Optional<Verdict> since(EmailAddress address, Optional<CalloutAnswers.Answer> last) {
    return answers
        .find(address)
        .filter(now -> last.isEmpty() || now.at().isAfter(last.get().at()))
        .map(
            now ->
                now.known()
                    ? new Verdict.Exists("asked a moment ago")
                    : new Verdict.Unknown("asked a moment ago"));
  }

  private Verdict await(CompletableFuture<Verdict> question) {
    try {
      return question.get(config.budget().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return new Verdict.CannotTell("no answer within " + config.budget());
    } catch (ExecutionException e) {
      return new Verdict.CannotTell(String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Verdict.CannotTell("interrupted");
    }
  }

  private Verdict ask(CustomerId customer, Questions.Question question, Routing routes) {
    Verdict verdict;
    try {
      Route route = routes.routeFor(customer, question.address());
      verdict = questions.ask(question, route);
    } catch (IllegalStateException e) {
      verdict = new Verdict.CannotTell(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Verdict.CannotTell("interrupted");
    }
    Instant now = clock.instant();
    EmailAddress address = question.address();
    String domain = address.domain();
    switch (verdict) {
      case Verdict.Exists(String reply) -> {
        answers.put(address, true, now, reply);
        if (question.probe()) {
          probed(customer, domain, false, now);
        }
        trouble(customer, domain, "", now);
      }
      case Verdict.TakesAll() -> {
        probed(customer, domain, true, now);
        trouble(customer, domain, "", now);
      }
      case Verdict.Unknown(String reply) -> {
        answers.put(address, false, now, reply);
        trouble(customer, domain, "", now);
      }
      case Verdict.CannotTell(String why) -> trouble(customer, domain, why, now);
    }
    return verdict;
  }

  private void probed(CustomerId customer, String domain, boolean takesAll, Instant now) {
    boolean before = answers.domain(domain).takesAll().orElse(false);
    answers.probed(domain, takesAll, now);
    if (before != takesAll) {
      events.emit(
          new MailEvent.DirectoryNotice(
              DirectoryMatter.ACCEPTS_ALL,
              customer,
              domain,
              !takesAll,
              takesAll
                  ? "the customer's server takes an address that cannot exist: every address of the domain is accepted"
                  : "the customer's server tells which addresses exist again"));
    }
  }

  private void trouble(CustomerId customer, String domain, String why, Instant now) {
    boolean before = !answers.domain(domain).trouble().isEmpty();
    if (before == !why.isEmpty()) {
      return;
    }
    answers.trouble(domain, why, now);
    events.emit(
        new MailEvent.DirectoryNotice(
            DirectoryMatter.CALLOUT,
            customer,
            domain,
            why.isEmpty(),
            why.isEmpty() ? "the customer's server answers again" : why));
  }

  /** Ends idle connections and deletes answers that are too old for any use. */
  public void tidy() {
    questions.tidy();
    Instant now = clock.instant();
    answers.prune(now.minus(KEEP).minus(config.positiveLife()), now.minus(config.negativeLife()));
  }

  @Override
  public void close() {
    threads.shutdownNow();
    questions.close();
    threads.close();
  }
}
