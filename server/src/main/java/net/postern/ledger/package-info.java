/**
 * What state every message and delivery is in; the only writer of those tables.
 *
 * <p>The states, what exists in each, and what a crash at each step leaves behind are the table in
 * {@code docs/ledger.md}. Promise 2 (nothing vanishes) is a query over this package's two tables.
 */
@NullMarked
package net.postern.ledger;

import org.jspecify.annotations.NullMarked;
