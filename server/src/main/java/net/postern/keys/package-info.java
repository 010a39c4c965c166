/**
 * The key hierarchy: master &gt; customer &gt; mailbox &gt; message.
 *
 * <p>Every key below the master key is random and is kept only wrapped, that is encrypted with
 * AES-256-GCM under the key above it, bound to its own identity by the additional data. Wrapped
 * keys are kept as objects in every store, so that one store and the master key are enough to read
 * everything; and in the database ({@link net.postern.keys.KeyShelf}), which says which of two
 * records counts, and has to be thought of, with its backups, when a key is erased. Neither ever
 * sees the master key.
 */
@NullMarked
package net.postern.keys;

import org.jspecify.annotations.NullMarked;
