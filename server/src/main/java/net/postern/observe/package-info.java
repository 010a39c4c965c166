/**
 * Watching a node: where {@link net.postern.events.MailEvent}s go, and how the node says how it is.
 *
 * <p>{@link net.postern.observe.MailLog} writes one line for each event, {@link
 * net.postern.observe.MailMetrics} counts them, {@link net.postern.observe.Fanout} feeds both;
 * {@link net.postern.observe.ObserveServer} answers {@code /health}, {@code /ready} and {@code
 * /metrics} on loopback. {@link net.postern.observe.Logging} takes every log line to standard error
 * through one bounded queue and one thread. Whatever a remote peer wrote reaches a line only
 * through a {@link net.postern.observe.Fields} writer, so that no peer can forge a line or a field.
 */
@NullMarked
package net.postern.observe;

import org.jspecify.annotations.NullMarked;
