/** Tests of {@link net.postern.address}. */
@NullMarked
package net.postern.address;

import org.jspecify.annotations.NullMarked;
