/**
 * Numbered scenarios against the packaged product, run as a user runs it: the script at the root, a
 * configuration file, real processes, real sockets, real signals.
 *
 * <p>A scenario starts an installation with {@link net.postern.e2e.NodeProcess}, sends mail through
 * it with {@link net.postern.testkit.MailLoad} and receives what comes out with {@link
 * net.postern.testkit.MailSink}: neither runs in the node's process, so both keep their accounts
 * when it is killed. Heavy scenarios are isolated: they measure, or fill disks. Those with the tag
 * {@code long} are the same at full size; {@code ./postern test --long} runs them. Scenarios that
 * need root (a file system of their own) are skipped without it, except where the environment says
 * {@code CI=true}. Each prints its figures in one line that begins with its number.
 */
@NullMarked
package net.postern.e2e;

import org.jspecify.annotations.NullMarked;
