/**
 * Stores of immutable objects: one interface, one implementation for each kind of place.
 *
 * <p>An {@link net.postern.blob.ObjectStore} knows nothing of mail or keys: names are random, bytes
 * are already encrypted. An object is written once and never changed. A directory can also take an
 * object piece by piece ({@link net.postern.blob.Appender}), each piece synced; an object there
 * counts as far as it was synced, and what lies beyond is cut off on recovery.
 */
@NullMarked
package net.postern.blob;

import org.jspecify.annotations.NullMarked;
