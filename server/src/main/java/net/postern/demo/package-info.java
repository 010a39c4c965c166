/**
 * The demonstration: a whole node on this machine, sample mail through real SMTP, and a check of
 * everything that the node then says and keeps.
 *
 * <p>{@link net.postern.demo.Demo} is the run from top to bottom. {@link net.postern.demo.DemoNode}
 * sets the node up, {@link net.postern.demo.NextHop} is the mail server behind it, {@link
 * net.postern.demo.Samples} is the list of samples with what has to become of each. {@link
 * net.postern.demo.Sender} sends them, {@link net.postern.demo.Outcome} compares what happened with
 * what had to, {@link net.postern.demo.StoreCheck} reads every message from each store alone,
 * {@link net.postern.demo.Report} prints. Nothing here is known to the rest of the program: the
 * demonstration uses the node as its users and operators do.
 */
@NullMarked
package net.postern.demo;

import org.jspecify.annotations.NullMarked;
