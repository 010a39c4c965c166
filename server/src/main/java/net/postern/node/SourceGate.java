package net.postern.node;

import java.net.InetAddress;
import net.postern.edge.Gate;
import net.postern.source.Sources;

/** Refuses floods from one network before anything is done for them. */
record SourceGate(Sources sources) implements Gate {

  @Override
  public boolean refuses(InetAddress client) {
    return sources.floods(client);
  }

  @Override
  public int connections(InetAddress client, int standard) {
    return sources.connections(client, standard);
  }
}
