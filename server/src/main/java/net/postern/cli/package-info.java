/**
 * The {@code postern} command: one class for each subcommand, listed in {@link
 * net.postern.cli.Main}.
 *
 * <p>A command prints its result on standard output and everything else on standard error, and
 * returns one of {@link net.postern.cli.Exit}'s codes. What it cannot do for a reason that a person
 * can mend it throws as {@link net.postern.cli.CommandFailure}: one line, no stack trace. Anything
 * else that escapes is a defect of the program and is told as one.
 */
@NullMarked
package net.postern.cli;

import org.jspecify.annotations.NullMarked;
