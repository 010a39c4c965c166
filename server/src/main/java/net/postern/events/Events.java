package net.postern.events;

/** Where events go. Safe for use by many threads; never blocks on I/O, never throws. */
@FunctionalInterface
public interface Events {
  void emit(MailEvent event);
}
