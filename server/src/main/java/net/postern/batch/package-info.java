/**
 * Group commit (DeWitt et al., "Implementation techniques for main memory database systems", 1984):
 * work that arrives while a commit is under way shares the next one.
 *
 * <p>A sync to disk and a database commit cost about the same for one item as for a hundred. The
 * vault and the ledger each put one {@link net.postern.batch.GroupCommit} in front of that cost.
 */
@NullMarked
package net.postern.batch;

import org.jspecify.annotations.NullMarked;
