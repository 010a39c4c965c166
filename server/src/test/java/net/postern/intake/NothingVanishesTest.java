package net.postern.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.Size;
import net.postern.blob.FaultyStore.Mood;
import net.postern.id.MessageId;
import net.postern.ledger.DeliveryState;
import net.postern.ledger.LeasedDelivery;
import net.postern.ledger.MessageView;
import net.postern.ledger.Settlement;
import net.postern.testkit.Await;
import net.postern.vault.MessageFrame;

/**
 * Promise 2 over random histories: mail comes in, stores fail and heal, deliveries end in every
 * way, people release and delete, the process dies, rows of the ledger are lost with it. At every
 * moment the balance is zero; in the end every message that was acknowledged is in the ledger, in
 * one of the states, and readable.
 */
class NothingVanishesTest {
  private enum Step {
    SEND,
    SEND_TO_TWO,
    SEND_SPAM,
    STORE_FAILS,
    STORES_HEAL,
    LEASE,
    DELIVER,
    RETRY,
    RETURN,
    UNATTEMPTED,
    RELEASE,
    DELETE,
    RESTART,
    LEDGER_LOSES_LAST
  }

  @Property(tries = 8, shrinking = ShrinkingMode.OFF)
  void nothingVanishes(@ForAll @Size(min = 20, max = 40) List<Step> steps, @ForAll long seed)
      throws Exception {
    Path temp = Files.createTempDirectory("vanish");
    try (IntakeWorld world = new IntakeWorld(temp)) {
      History history = new History(world, new Random(seed));
      for (Step step : steps) {
        history.apply(step);
        assertEquals(0, world.difference(), step::name);
      }
      history.end();
    } finally {
      try (Stream<Path> files = Files.walk(temp)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static final class History {
    private final IntakeWorld world;
    private final Random random;
    private final Map<MessageId, Integer> acknowledged = new HashMap<>();
    private final List<LeasedDelivery> leased = new java.util.ArrayList<>();
    private Optional<MessageId> last = Optional.empty();

    History(IntakeWorld world, Random random) {
      this.world = world;
      this.random = random;
    }

    void apply(Step step) throws Exception {
      switch (step) {
        case SEND -> send("hello", "ann@mild.example");
        case SEND_TO_TWO -> send("hello", "bob@mild.example", "bob@strict.example");
        case SEND_SPAM -> send("score 5 ", "ann@mild.example", "ann@strict.example");
        case STORE_FAILS -> {
          Mood[] moods = {Mood.READ_ONLY, Mood.SHORT_WRITES, Mood.FAILING};
          world.stores.vault();
          world.stores.stores.get(random.nextInt(3)).mood(moods[random.nextInt(3)]);
        }
        case STORES_HEAL -> heal();
        case LEASE -> leased.addAll(world.ledger.lease(5, Duration.ofMinutes(5)));
        case DELIVER, RETRY, RETURN, UNATTEMPTED -> settle(step);
        case RELEASE -> held().ifPresent(id -> world.queries.release(id, Optional.empty(), "ann"));
        case DELETE -> held().ifPresent(id -> world.queries.delete(id, Optional.empty(), "ann"));
        case RESTART -> restart();
        case LEDGER_LOSES_LAST -> {
          // As if the process had died between the stores and the ledger.
          if (last.isPresent()) {
            MessageId id = last.get();
            heal();
            world.restart();
            leased.removeIf(each -> each.key().message().equals(id));
            world
                .database
                .jdbi()
                .useHandle(
                    handle -> {
                      handle.execute("delete from delivery where message_id = ?", id.value());
                      handle.execute("delete from message where id = ?", id.value());
                      // The segment was not complete then.
                      handle.execute("delete from segment");
                    });
            restart();
            last = Optional.empty();
          }
        }
      }
    }

    private void send(String text, String... recipients) throws InterruptedException {
      if (world.send(text, recipients) instanceof IntakeResult.Accepted accepted) {
        acknowledged.put(accepted.id(), recipients.length);
        Await.until(() -> !world.queries.find(accepted.id()).isEmpty());
        last = Optional.of(accepted.id());
        Await.until(() -> world.room.deliveries.get() == 0);
        synchronized (world.room) {
          leased.addAll(world.room.dispatched);
          world.room.dispatched.clear();
        }
      }
    }

    private void settle(Step step) throws Exception {
      if (leased.isEmpty()) {
        return;
      }
      var key = leased.remove(random.nextInt(leased.size())).key();
      Settlement settlement =
          switch (step) {
            case DELIVER -> new Settlement.Delivered(key, "250 ok");
            case RETRY -> new Settlement.Retry(key, "451 later", Instant.now());
            case RETURN -> new Settlement.Returned(key, "550 no", Optional.empty());
            default -> new Settlement.Unattempted(key);
          };
      world.ledger.settle(settlement).get(20, TimeUnit.SECONDS);
    }

    private Optional<MessageId> held() {
      return world.queries.held(Optional.empty(), 10).stream()
          .map(view -> view.key().message())
          .findFirst();
    }

    private void heal() throws Exception {
      world.stores.stores.forEach(store -> store.mood(Mood.GOOD));
      world.stores.awaitUp(3);
      world.stores.vault().upkeep().equalize();
    }

    private void restart() throws Exception {
      world.restart();
      world.ledger.recoverLeases();
      leased.clear();
      world.reconciler().run();
    }

    void end() throws Exception {
      heal();
      restart();
      world.stores.vault().upkeep().equalize();
      for (Map.Entry<MessageId, Integer> each : acknowledged.entrySet()) {
        List<MessageView> views = world.queries.find(each.getKey());
        assertEquals(each.getValue(), views.size());
        for (MessageView view : views) {
          assertTrue(view.state() != DeliveryState.REMOVED || !view.rule().isEmpty());
          for (int store = 0; store < 3; store++) {
            MessageFrame frame = world.stores.alone(store).read(view.place());
            assertEquals(each.getKey(), frame.id());
          }
        }
      }
      assertEquals(0, world.difference());
    }
  }
}
