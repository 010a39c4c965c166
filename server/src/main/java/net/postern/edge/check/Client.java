package net.postern.edge.check;

import java.net.InetAddress;
import net.postern.config.InsideAddresses;
import net.postern.dns.ReverseName;
import net.postern.dnsbl.Listings;

/**
 * Who is at the other end of a session, as far as is known without asking the client itself. What
 * has to be asked elsewhere is begun when the client connects, or when lists have not named it, and
 * awaited when it is needed, see {@link Questions} and {@link Pending}.
 *
 * @param address of the client; behind a proxy that may say so, the one that the proxy names
 * @param reverseName what the DNS calls it
 * @param listings what block lists and allow lists say of it
 * @param certified whether it is a customer's registered server by the certificate that it has
 */
public record Client(
    InetAddress address,
    Pending<ReverseName> reverseName,
    Pending<Listings> listings,
    boolean certified) {

  /** One of whom nothing is asked elsewhere. */
  public Client(InetAddress address) {
    this(address, Pending.of(new ReverseName.None()), Pending.of(Listings.NONE), false);
  }

  /** The same as a customer's registered server: what lists say of its address is no matter. */
  public Client asCertified() {
    return new Client(address, reverseName, Pending.of(Listings.NONE), true);
  }

  /** Whether it is in no private network: what the DNS says of others is nobody's word. */
  public boolean isPublic() {
    return !InsideAddresses.contain(address);
  }

  /** The name that the DNS verifies, or empty. Waits for it. */
  public String verifiedName() {
    return reverseName.await() instanceof ReverseName.Verified(String name) ? name : "";
  }
}
