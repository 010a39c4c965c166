package net.postern.edge;

import java.net.InetAddress;

/**
 * Decides about a connection before anything is done for it. Asked by the thread that accepts, so
 * it answers at once. Safe for many threads.
 */
public interface Gate {
  /** Lets everybody in. */
  Gate OPEN =
      new Gate() {
        @Override
        public boolean refuses(InetAddress client) {
          return false;
        }

        @Override
        public int connections(InetAddress client, int standard) {
          return standard;
        }
      };

  /** Counts a connection; whether it is closed with a 421 and no more. */
  boolean refuses(InetAddress client);

  /**
   * How many connections a client may have at one time.
   *
   * @param standard the configured limit
   */
  int connections(InetAddress client, int standard);
}
