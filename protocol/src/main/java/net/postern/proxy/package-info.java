/**
 * The PROXY protocol (versions 1 and 2, "The PROXY protocol", HAProxy Technologies): a few bytes
 * before everything else, in which a load balancer says who connected to it. Whoever may send them
 * may claim any address, so they are read from stated networks only, and there they are required.
 */
@NullMarked
package net.postern.proxy;

import org.jspecify.annotations.NullMarked;
