/**
 * A fake world for tests, not fake classes: remote servers that speak the real protocol over real
 * sockets and follow a script, so that our own code runs as it does in production.
 *
 * <p>{@link net.postern.testkit.SmtpPeer} is a mail server that accepts, refuses, hangs or breaks
 * off where a test wants it to. {@link net.postern.testkit.S3Server} and {@link
 * net.postern.testkit.RadosGateway} are S3 servers, and {@link net.postern.testkit.FaultyProxy}
 * stands before one and hangs, cuts, delays or damages. {@link net.postern.testkit.UnboundServer}
 * and {@link net.postern.testkit.RblServer} are real name servers, {@link
 * net.postern.testkit.UdpProxy} stands before one. {@link net.postern.testkit.Await} is the one
 * place where tests wait.
 */
@NullMarked
package net.postern.testkit;

import org.jspecify.annotations.NullMarked;
