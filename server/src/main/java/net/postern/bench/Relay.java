package net.postern.bench;

/** A mail server under measurement: takes mail for {@value #DOMAIN} and sends it on to a sink. */
interface Relay extends AutoCloseable {
  String DOMAIN = "example.org";

  String name();

  /** Where it takes mail, on loopback. */
  int port();

  @Override
  void close();
}
