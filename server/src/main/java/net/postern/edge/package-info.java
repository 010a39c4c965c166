/**
 * The SMTP server that the world talks to (RFC 5321).
 *
 * <p>{@link net.postern.edge.EdgeServer} accepts connections, within limits for all and for each
 * source, and gives each one a virtual thread with an {@code SmtpSession}. The session reads a
 * command, finds its verb in the visible list of {@code Verbs} (one file for each verb) and lets it
 * answer. Recipients go through the checks of {@code edge.check}. A message is collected in memory
 * that all sessions share by budget, and handed to {@link net.postern.intake.Intake}, whose answer
 * is the reply. Waiting is bounded by deadlines that one watchdog thread enforces, so a client that
 * sends a byte a second costs nobody else anything, and a waiting session holds half a kilobyte.
 */
@NullMarked
package net.postern.edge;

import org.jspecify.annotations.NullMarked;
