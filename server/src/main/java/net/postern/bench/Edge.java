package net.postern.bench;

/** A mail server of which only the dialogue is measured; it knows what {@link EdgeWorld} says. */
interface Edge extends AutoCloseable {
  String name();

  /** Where it takes connections that begin with a PROXY header, on loopback. */
  int port();

  /** Its first process; those that it starts count as well. */
  long pid();

  @Override
  void close();
}
