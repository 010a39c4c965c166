/**
 * What is asked of a client and its envelope before any of the message is taken.
 *
 * <p>Each check is one file that looks at one question and answers with a {@link
 * net.postern.edge.check.CheckResult}. The order in which they run is the list in {@link
 * net.postern.edge.check.Checks}; nothing is registered anywhere else. A check that cannot answer
 * defers; it never takes silence for a yes.
 */
@NullMarked
package net.postern.edge.check;

import org.jspecify.annotations.NullMarked;
