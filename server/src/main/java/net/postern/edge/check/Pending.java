package net.postern.edge.check;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * An answer that is on its way: asked for early, on a virtual thread of its own, and awaited when
 * it is needed. The question bounds its own time. Safe for many threads.
 */
public final class Pending<T> {
  private final CompletableFuture<T> answer;

  private Pending(CompletableFuture<T> answer) {
    this.answer = answer;
  }

  /**
   * Begins to ask.
   *
   * @param question takes a bounded time
   */
  public static <T> Pending<T> begin(Supplier<T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("edge-ask")
        .start(
            () -> {
              try {
                answer.complete(question.get());
              } catch (RuntimeException | Error e) {
                answer.completeExceptionally(e);
              }
            });
    return new Pending<>(answer);
  }

  /** What is known already. */
  public static <T> Pending<T> of(T answer) {
    return new Pending<>(CompletableFuture.completedFuture(answer));
  }

  public boolean isDone() {
    return answer.isDone();
  }

  /**
   * Waits for the answer.
   *
   * @throws IllegalStateException when the question failed; its cause says why
   */
  public T await() {
    try {
      return answer.join();
    } catch (CompletionException e) {
      throw new IllegalStateException("a question failed: " + e.getCause(), e.getCause());
    }
  }
}
