/**
 * Stores of immutable objects: one interface, one implementation for each kind of place.
 *
 * <p>An {@link net.postern.blob.ObjectStore} knows nothing of mail or keys: names are random, bytes
 * are already encrypted. An object is written once and never changed. A store can also take an
 * object piece by piece ({@link net.postern.blob.Appender}), each piece durable when it was taken;
 * an object counts as far as that, and what lies beyond is cut off on recovery.
 *
 * <p>{@link net.postern.blob.DirectoryStore} keeps objects as files, {@link
 * net.postern.blob.S3Store} in a bucket of an S3 server.
 */
@NullMarked
package net.postern.blob;

import org.jspecify.annotations.NullMarked;
