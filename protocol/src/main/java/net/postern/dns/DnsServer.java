package net.postern.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.WireParseException;
import org.xbill.DNS.io.IoClientFactory;

/**
 * One name server, asked over UDP from a random port with a random id (one of this machine over
 * sockets that are kept, see {@link LoopbackUdp}), over TCP when the answer is truncated. Remembers
 * for a while that it did not answer.
 */
final class DnsServer {
  /** How long one that did not answer comes after the others. */
  private static final long BENCH_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** What one try came to. */
  sealed interface Try {
    /** An answer: there are records, or there are none. */
    record Answered(Message message) implements Try {}

    /** The server says that it cannot tell, or nobody listens there: no use to ask it again. */
    record Refused(String reason, Answer.Cause cause) implements Try {}

    /** Silence, or what is no answer to this question: the next try may have one. */
    record Silent(String reason) implements Try {}
  }

  private final InetSocketAddress address;
  private final Optional<IoClientFactory> sockets;
  private volatile long benchedAt;
  private volatile boolean benched;

  DnsServer(InetSocketAddress address) {
    this.address = address;
    this.sockets =
        address.getAddress() != null && address.getAddress().isLoopbackAddress()
            ? Optional.of(LoopbackUdp.factory())
            : Optional.empty();
  }

  boolean answersLately(long now) {
    return !benched || now - benchedAt > BENCH_NANOS;
  }

  Try ask(Name name, int type, long waitNanos) throws InterruptedException {
    // One for each try: its socket is closed when the try is over, and not when all tries are.
    SimpleResolver resolver = new SimpleResolver(address);
    sockets.ifPresent(resolver::setIoClientFactory);
    resolver.setTimeout(Duration.ofNanos(waitNanos));
    Message question = Message.newQuery(Record.newRecord(name, type, DClass.IN));
    try {
      Message answer =
          resolver
              .sendAsync(question, Runnable::run)
              .toCompletableFuture()
              .get(waitNanos, TimeUnit.NANOSECONDS);
      if (!answer.getHeader().getFlag(Flags.QR)) {
        // Our own question came back.
        return new Try.Silent("no answer for " + name + " from " + shown());
      }
      benched = false;
      int rcode = answer.getRcode();
      return rcode == Rcode.NOERROR || rcode == Rcode.NXDOMAIN
          ? new Try.Answered(answer)
          : new Try.Refused(
              "the name server says " + Rcode.string(rcode) + " for " + name, Answer.Cause.SAID);
    } catch (TimeoutException e) {
      bench();
      return new Try.Silent("no answer for " + name + " from " + shown());
    } catch (ExecutionException e) {
      if (e.getCause() instanceof WireParseException) {
        return new Try.Silent("no valid answer for " + name + " from " + shown());
      }
      bench();
      return e.getCause() instanceof java.net.PortUnreachableException
              || e.getCause() instanceof java.net.ConnectException
          ? new Try.Refused("no name server listens at " + shown(), Answer.Cause.SILENCE)
          : new Try.Silent("no answer for " + name + " from " + shown());
    } catch (RuntimeException e) {
      // Whatever the library does with an odd question; nothing that a server did.
      return new Try.Refused("cannot be asked: " + e.getMessage(), Answer.Cause.SAID);
    }
  }

  private void bench() {
    benchedAt = System.nanoTime();
    benched = true;
  }

  private String shown() {
    return address.getHostString() + " port " + address.getPort();
  }
}
