package net.postern.dns;

import java.util.stream.IntStream;

class MapResolverTest extends ResolverContract {
  private final MapResolver resolver =
      new MapResolver()
          .mx(
              "contract.example",
              new MxRecord(10, "mx1.contract.example"),
              new MxRecord(20, "mx2.contract.example"))
          .txt("contract.example", "v=spf1 mx -all", "something else")
          .a("mx1.contract.example", "192.0.2.1", "192.0.2.2")
          .aaaa("mx1.contract.example", "2001:db8::1")
          .a("mx2.contract.example", "192.0.2.3")
          .mx("null.contract.example", new MxRecord(0, ""))
          .txt("utf8.contract.example", "münz")
          .alias("alias.contract.example", "second.contract.example")
          .alias("second.contract.example", "mx1.contract.example")
          .alias("dangling.contract.example", "nothing.contract.example")
          .alias("circle.contract.example", "round.contract.example")
          .alias("round.contract.example", "circle.contract.example")
          .a("under_score.contract.example", "192.0.2.4")
          .a("strange name.contract.example", "192.0.2.5")
          .txt(
              "large.contract.example",
              IntStream.range(0, LARGE).mapToObj(ResolverContract::text).toArray(String[]::new))
          .ptr("192.0.2.1", "MX1.contract.example.")
          .ptr("192.0.2.2", "mx2.contract.example")
          .alias("3.2.0.192.in-addr.arpa", "3.half.2.0.192.in-addr.arpa")
          .ptr("3.half.2.0.192.in-addr.arpa", "mx2.contract.example")
          .failing("x." + BROKEN, "the server is broken");

  @Override
  Resolver resolver() {
    return resolver;
  }
}
