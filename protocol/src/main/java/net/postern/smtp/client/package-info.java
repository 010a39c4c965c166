/**
 * The sending side of SMTP (RFC 5321 §3), blocking, for virtual threads.
 *
 * <p>{@link net.postern.smtp.client.SmtpConnector} opens a connection: greeting, EHLO, STARTTLS as
 * far as asked for. {@link net.postern.smtp.client.SmtpConnection} then carries one transaction
 * after another. Where the server offers PIPELINING (RFC 2920) a transaction is two writes: the
 * commands, and the message with its end.
 *
 * <p>What a server may do is a value, not an exception: each recipient gets a {@link
 * net.postern.smtp.client.RecipientOutcome}, and a connection that is lost says whether the message
 * could have been taken all the same. Every wait ends: a {@link
 * net.postern.smtp.client.ConnectionWatchdog} closes the connection of a peer that is silent, or
 * does not read, past its deadline (RFC 5321 §4.5.3.2).
 */
@NullMarked
package net.postern.smtp.client;

import org.jspecify.annotations.NullMarked;
