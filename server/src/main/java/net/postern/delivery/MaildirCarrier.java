package net.postern.delivery;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.postern.delivery.DeliveryResult.Diagnosis;
import net.postern.ledger.LeasedDelivery;
import net.postern.vault.MessageVault;
import net.postern.vault.VaultUnavailableException;

/** Carries jobs into Maildirs. Owned by one worker. */
final class MaildirCarrier implements Carrier {
  private final Hop.Maildirs hop;
  private final MaildirStore store;
  private final MessageVault vault;
  private final Settler settler;

  private final InstantSource clock;
  private final Duration leaseMargin;

  /**
   * @param leaseMargin an attempt begins so long before the end of its lease, or not at all
   */
  MaildirCarrier(
      Hop.Maildirs hop,
      MaildirStore store,
      MessageVault vault,
      Settler settler,
      InstantSource clock,
      Duration leaseMargin) {
    this.hop = hop;
    this.store = store;
    this.vault = vault;
    this.settler = settler;
    this.clock = clock;
    this.leaseMargin = leaseMargin;
  }

  @Override
  public Hint carry(Job job, boolean othersWork) {
    if (!job.budget(clock.instant(), leaseMargin).isPositive()) {
      settler.unattempted(job);
      return Hint.NONE;
    }
    String route = hop.toString();
    byte[] content;
    try {
      content = job.marked(job.content(vault));
    } catch (VaultUnavailableException e) {
      settler.settleAll(job, route, later("the stored message cannot be read now"));
      return Hint.NONE;
    }
    boolean failed = false;
    List<DeliveryResult> results = new ArrayList<>(job.deliveries().size());
    for (LeasedDelivery delivery : job.deliveries()) {
      try {
        // Only the file's name: the directories are named after the user, and this goes to the log.
        Path file = Path.of(store.store(hop.directory(), delivery, content));
        results.add(new DeliveryResult.Delivered("stored as " + file.getFileName()));
      } catch (IOException e) {
        // A full disk, a missing mount, a wrong owner: all of them someone will mend.
        failed = true;
        results.add(later("the mailbox cannot be written now: " + described(e)));
      }
    }
    settler.settle(job, route, results);
    return failed ? Hint.BAD : Hint.GOOD;
  }

  private static String described(IOException e) {
    // A file's name would be the user's; the route says below which directory it is.
    String message = e instanceof FileSystemException file ? file.getReason() : e.getMessage();
    return e.getClass().getSimpleName() + (message == null ? "" : " " + message);
  }

  private static DeliveryResult later(String why) {
    return new DeliveryResult.Transient(new Diagnosis("4.3.0", Optional.empty(), why, false));
  }

  @Override
  public void close() {}
}
