/** Tests of delivery against real peers over real sockets. */
@NullMarked
package net.postern.delivery;

import org.jspecify.annotations.NullMarked;
