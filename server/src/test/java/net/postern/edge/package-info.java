/** Tests of the SMTP server over real sockets, with neighbours that live in memory. */
@NullMarked
package net.postern.edge;

import org.jspecify.annotations.NullMarked;
