package net.postern.greylist;

import java.net.InetAddress;
import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.id.CustomerId;

/**
 * What is looked at.
 *
 * @param client where it comes from
 * @param spfDomain the reverse-path's domain, when SPF says that the client may send for it
 * @param hostDomain the registered domain of the client's verified name, when the client calls
 *     itself by the same; a pool's servers share it
 * @param reversePath not the null one
 */
public record Triple(
    CustomerId customer,
    InetAddress client,
    Optional<String> spfDomain,
    Optional<String> hostDomain,
    EmailAddress reversePath,
    EmailAddress recipient) {}
