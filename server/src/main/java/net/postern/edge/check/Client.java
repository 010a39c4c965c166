package net.postern.edge.check;

import java.net.InetAddress;

/**
 * Who is at the other end of a session, as far as is known without asking the client itself. What
 * has to be asked elsewhere is begun when the client connects and awaited when it is needed, see
 * {@link Pending}.
 *
 * @param address of the client; behind a proxy that may say so, the one that the proxy names
 */
public record Client(InetAddress address) {}
