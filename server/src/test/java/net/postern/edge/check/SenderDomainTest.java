package net.postern.edge.check;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import net.postern.dns.DnsSettings;
import net.postern.dns.DnsjavaResolver;
import net.postern.dns.MapResolver;
import net.postern.dns.Resolver;
import org.junit.jupiter.api.Test;

/** No sender is put off because our own way to the DNS is broken. */
class SenderDomainTest {

  @Test
  void silenceIsNobodysFault() throws Exception {
    // A port where nobody answers, as when the name server of this machine hangs.
    try (DatagramSocket mute = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      DnsjavaResolver resolver =
          DnsjavaResolver.open(
              new DnsSettings(
                  List.of((InetSocketAddress) mute.getLocalSocketAddress()),
                  Duration.ofMillis(300),
                  100));
      assertInstanceOf(SenderDomain.Unasked.class, SenderDomain.look("example.com", resolver));
    }
  }

  @Test
  void whoHasServersThatSaySoCannotBeFound() {
    Resolver resolver = new MapResolver().failing("dead.example", "SERVFAIL");
    assertInstanceOf(SenderDomain.Unknown.class, SenderDomain.look("dead.example", resolver));
    assertInstanceOf(SenderDomain.Missing.class, SenderDomain.look("none.example", resolver));
  }
}
