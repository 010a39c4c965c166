/**
 * The SMTP grammar that both ends of a connection share (RFC 5321), with no policy and no sockets.
 *
 * <p>A client sends <em>commands</em>, one line each; the server answers each with one {@link
 * net.postern.smtp.Reply} of a three-digit code, often an enhanced status (RFC 3463), and one or
 * more lines of text. The message itself travels after {@code DATA} as lines, ended by a line that
 * holds one dot; a line of the message that begins with a dot is sent with one more ({@link
 * net.postern.smtp.DataWriter}, RFC 5321 §4.5.2). Two programs that disagree on what ends a line
 * can be made to see two messages where there is one (SMTP smuggling), so here only CRLF ends a
 * line, and a lone CR or LF is never passed on.
 */
@NullMarked
package net.postern.smtp;

import org.jspecify.annotations.NullMarked;
