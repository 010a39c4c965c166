/**
 * Who may send to others, and how much.
 *
 * <p>{@link net.postern.submission.Authenticator} checks passwords: Argon2id for PLAIN and LOGIN,
 * SCRAM by its own keys, few at one time, the same cost for users that do not exist. Before a
 * password is looked at {@link net.postern.submission.GuessThrottle} is asked: wrong ones are
 * counted by account and by source, for all nodes, and further attempts are refused for a growing
 * time, except from where that account's right password came before, so that strangers who guess
 * lock nobody out. {@link net.postern.submission.SendLimits} counts messages and recipients in
 * sliding windows. {@link net.postern.submission.Authorship} looks at the header of what is sent.
 */
@NullMarked
package net.postern.submission;

import org.jspecify.annotations.NullMarked;
