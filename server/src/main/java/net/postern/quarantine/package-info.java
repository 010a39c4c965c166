/** Mail that is held: looking at it, letting it out, deleting it. */
@NullMarked
package net.postern.quarantine;

import org.jspecify.annotations.NullMarked;
