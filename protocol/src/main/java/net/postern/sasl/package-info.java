/**
 * The server's side of three SASL mechanisms (RFC 4422): PLAIN, LOGIN's texts and SCRAM-SHA-256.
 *
 * <p>With PLAIN and LOGIN the client sends its password, so they belong inside TLS. With SCRAM (RFC
 * 5802, RFC 7677) it proves that it knows the password: the server keeps two keys made of it with a
 * salt ({@link net.postern.sasl.ScramKeys}), sends a nonce, and gets back a proof that fits this
 * one dialogue. The PLUS form binds the proof to the TLS connection as well (RFC 5929, RFC 9266),
 * so that nobody in between can pass it on. No policy, no sockets and no storage here.
 */
@NullMarked
package net.postern.sasl;

import org.jspecify.annotations.NullMarked;
