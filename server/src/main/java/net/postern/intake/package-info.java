/**
 * From the last byte of a message to its {@code 250}: judge, decide, keep, record.
 *
 * <p>See {@code docs/flow.md} for the whole way of a message.
 */
@NullMarked
package net.postern.intake;

import org.jspecify.annotations.NullMarked;
