/**
 * What happens to mail, said once.
 *
 * <p>A part of Postern that does something to a message emits one {@link
 * net.postern.events.MailEvent}; the mail log, the metrics and the message trace are all fed by
 * that one call, so they cannot disagree. Events carry values that are already public text: no part
 * of a message's body or subject.
 */
@NullMarked
package net.postern.events;

import org.jspecify.annotations.NullMarked;
