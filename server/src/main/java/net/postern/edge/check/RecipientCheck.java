package net.postern.edge.check;

/** One question about one recipient. Safe for many threads; may block. */
@FunctionalInterface
public interface RecipientCheck {
  CheckResult check(RecipientQuestion question);
}
