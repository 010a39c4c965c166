/**
 * Who is served: provider, customers, domains, users, their addresses, and where their mail goes.
 *
 * <p>{@link net.postern.tenant.Directory} answers the one question of RCPT, {@link
 * net.postern.tenant.Routing} the one question of delivery. Both read through short-lived caches,
 * so that a change made on one node is seen by all within {@code node.directory_cache}.
 */
@NullMarked
package net.postern.tenant;

import org.jspecify.annotations.NullMarked;
