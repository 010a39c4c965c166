/**
 * Who may send mail for a domain: SPF (RFC 7208).
 *
 * <p>The owner of a domain publishes a record, {@code v=spf1 mx include:relay.example -all}: a list
 * of mechanisms, tried from left to right, that name the hosts which send its mail. The first that
 * matches the client decides with its sign: {@code +} pass, {@code -} fail, {@code ~} softfail,
 * {@code ?} neutral. Names in a record may have macros, which stand for parts of the question.
 *
 * <p>{@link net.postern.auth.Spf} answers a {@link net.postern.auth.SpfQuestion} with an {@link
 * net.postern.auth.SpfResult}. A record comes from a stranger, and each of its names makes us ask
 * the DNS: {@link net.postern.auth.SpfEvaluation} counts and bounds all of it. {@link
 * net.postern.auth.ReceivedSpf} writes the outcome for a message's header.
 */
@NullMarked
package net.postern.auth;

import org.jspecify.annotations.NullMarked;
