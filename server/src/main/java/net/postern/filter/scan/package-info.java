/**
 * Tests of what a message carries: the standard samples, attachments that run as programs, and
 * structure that mail programs would read differently.
 *
 * <p>Every part is decoded as a stream in constant memory, so that a large message costs time but
 * no memory.
 */
@NullMarked
package net.postern.filter.scan;

import org.jspecify.annotations.NullMarked;
