package net.postern.observe;

import java.util.List;
import net.postern.events.Events;
import net.postern.events.MailEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands each event to several receivers, in their order, on the caller's thread. */
public final class Fanout implements Events {
  private static final Logger LOG = LoggerFactory.getLogger(Fanout.class);

  private final List<Events> receivers;

  public Fanout(List<Events> receivers) {
    this.receivers = List.copyOf(receivers);
  }

  @Override
  public void emit(MailEvent event) {
    for (int i = 0; i < receivers.size(); i++) {
      try {
        receivers.get(i).emit(event);
      } catch (RuntimeException e) {
        // A receiver that breaks its promise must not keep mail, or the other receivers, from it.
        LOG.error("an event was lost by {}", receivers.get(i).getClass().getSimpleName(), e);
      }
    }
  }
}
