/**
 * Judges a message: runs the visible list of stages over it and adds up what they find.
 *
 * <p>A stage returns {@linkplain net.postern.filter.Finding findings}, each with one name that is
 * the same in code, score table, log, panel and tests. The verdict is the sum set against
 * thresholds, and says which findings made it.
 */
@NullMarked
package net.postern.filter;

import org.jspecify.annotations.NullMarked;
