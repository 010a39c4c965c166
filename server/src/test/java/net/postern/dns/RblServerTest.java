package net.postern.dns;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import net.postern.testkit.Await;
import net.postern.testkit.RblServer;
import org.junit.jupiter.api.Test;

/** A block list, asked where it is served (RFC 5782 §2.1). */
class RblServerTest {
  private static final RblServer.Zone LISTED =
      new RblServer.Zone(
          RblServer.Sort.IP4SET, ":127.0.0.2:listed, see https://bl.example/", "192.0.2.0/24");

  @Test
  void listedAddressesHaveAnAnswerAndAReason() throws Exception {
    try (RblServer server =
        RblServer.start(
            Map.of(
                "bl.example",
                LISTED,
                "names.example",
                new RblServer.Zone(RblServer.Sort.DNSET, ":127.0.1.2:bad", "evil.example")))) {
      DnsjavaResolver resolver = DnsjavaResolver.of(server.address(), Duration.ofSeconds(20));
      assertEquals(
          new Answer.Found<>(List.of(InetAddress.ofLiteral("127.0.0.2"))),
          resolver.a("7.2.0.192.bl.example"));
      assertEquals(
          new Answer.Found<>(List.of("listed, see https://bl.example/")),
          resolver.txt("7.2.0.192.bl.example"));
      assertInstanceOf(Answer.NxDomain.class, resolver.a("7.100.51.198.bl.example"));
      assertEquals(
          new Answer.Found<>(List.of(InetAddress.ofLiteral("127.0.1.2"))),
          resolver.a("evil.example.names.example"));
      assertInstanceOf(Answer.NxDomain.class, resolver.a("good.example.names.example"));
      assertInstanceOf(Answer.Failure.class, resolver.a("not.served.example"));
    }
  }

  @Test
  void listsChange() throws Exception {
    try (RblServer server = RblServer.start(Map.of("bl.example", LISTED))) {
      server.replace(
          "bl.example", new RblServer.Zone(RblServer.Sort.IP4SET, ":127.0.0.3:", "203.0.113.9"));
      int[] asked = {0};
      Await.until(
          () ->
              DnsjavaResolver.of(server.address(), Duration.ofSeconds(5 + asked[0]++))
                      .a("9.113.0.203.bl.example")
                  instanceof Answer.Found);
    }
  }
}
