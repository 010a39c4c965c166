/** Tests of events. */
@NullMarked
package net.postern.events;

import org.jspecify.annotations.NullMarked;
