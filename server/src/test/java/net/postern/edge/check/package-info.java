/** Tests of the checks alone. */
@NullMarked
package net.postern.edge.check;

import org.jspecify.annotations.NullMarked;
