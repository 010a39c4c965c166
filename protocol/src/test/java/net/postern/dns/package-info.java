/** Tests of the resolvers. */
@NullMarked
package net.postern.dns;

import org.jspecify.annotations.NullMarked;
