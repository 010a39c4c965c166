package net.postern.dns;

import java.time.Duration;
import java.util.Map;
import net.postern.testkit.UnboundServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract, through a real recursive server. */
class UnboundResolverTest extends ResolverContract {
  private static @Nullable UnboundServer server;
  private static Resolver resolver = new MapResolver();

  @BeforeAll
  static void start() {
    server =
        UnboundServer.start(
            Map.of("contract.example.", ZONE, "2.0.192.in-addr.arpa.", REVERSE), BROKEN + ".");
    resolver = DnsjavaResolver.of(server.address(), Duration.ofSeconds(20));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  Resolver resolver() {
    return resolver;
  }
}
