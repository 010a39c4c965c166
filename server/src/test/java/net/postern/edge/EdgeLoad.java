package net.postern.edge;

import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import net.postern.address.EmailAddress;
import net.postern.edge.check.Checks;
import net.postern.id.MessageId;
import net.postern.intake.IntakeResult;

/** A server alone, with an intake that answers at once, to be loaded by a foreign program. */
final class EdgeLoad {
  private EdgeLoad() {}

  public static void main(String[] args) throws InterruptedException {
    var settings = new TestEdge.Settings();
    settings.listen =
        java.util.List.of(new net.postern.config.HostPort("127.0.0.1", Integer.parseInt(args[0])));
    AtomicLong count = new AtomicLong();
    AtomicLong refused = new AtomicLong();
    EdgeServer server =
        new EdgeServer(
            settings.config(),
            TestEdge.HOSTNAME,
            new EmailAddress("postmaster", TestEdge.HOSTNAME),
            new TestDirectory(),
            Checks.inOrder(Checks.Parts.of(new TestDirectory())),
            (envelope, content) -> {
              count.incrementAndGet();
              return new IntakeResult.Accepted(MessageId.create());
            },
            event -> refused.incrementAndGet(),
            InstantSource.system(),
            settings.tls::orElseThrow);
    server.start();
    System.out.println(server.ports());
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> System.out.println("taken " + count.get() + " refused " + refused.get())));
    new CountDownLatch(1).await();
  }
}
