/** Tests of the resolvers against real name servers. */
@NullMarked
package net.postern.dns;

import org.jspecify.annotations.NullMarked;
