package net.postern.edge.check;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * An answer that is on its way: asked for early, on a virtual thread of its own, and awaited when
 * it is needed; or one that is asked for by whoever needs it first. The question bounds its own
 * time. Safe for many threads.
 */
public final class Pending<T> {
  private final CompletableFuture<T> answer;
  private final Supplier<T> question;
  private final AtomicBoolean begun;

  private Pending(CompletableFuture<T> answer, Supplier<T> question, boolean begun) {
    this.answer = answer;
    this.question = question;
    this.begun = new AtomicBoolean(begun);
  }

  /**
   * Begins to ask.
   *
   * @param question takes a bounded time
   */
  public static <T> Pending<T> begin(Supplier<T> question) {
    Pending<T> pending = later(question);
    pending.start();
    return pending;
  }

  /**
   * Leaves it to the first who awaits the answer to ask, on that thread: for what nobody may need.
   *
   * @param question takes a bounded time
   */
  public static <T> Pending<T> later(Supplier<T> question) {
    return new Pending<>(new CompletableFuture<>(), question, false);
  }

  /** Asks on a virtual thread of its own, when nobody has asked yet. */
  public void start() {
    if (begun.compareAndSet(false, true)) {
      Thread.ofVirtual().name("edge-ask").start(this::ask);
    }
  }

  private void ask() {
    try {
      answer.complete(question.get());
    } catch (RuntimeException | Error e) {
      answer.completeExceptionally(e);
    }
  }

  /** What is known already. */
  public static <T> Pending<T> of(T answer) {
    return new Pending<>(CompletableFuture.completedFuture(answer), () -> answer, true);
  }

  public boolean isDone() {
    return answer.isDone();
  }

  /** The answer if it is there already; empty also when the question failed. */
  public Optional<T> now() {
    return answer.isDone() && !answer.isCompletedExceptionally()
        ? Optional.of(answer.join())
        : Optional.empty();
  }

  /**
   * Waits for the answer.
   *
   * @throws IllegalStateException when the question failed; its cause says why
   */
  public T await() {
    if (begun.compareAndSet(false, true)) {
      ask();
    }
    try {
      return answer.join();
    } catch (CompletionException e) {
      throw new IllegalStateException("a question failed: " + e.getCause(), e.getCause());
    }
  }
}
