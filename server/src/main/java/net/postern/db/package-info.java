/**
 * PostgreSQL: the bundled one or the operator's own, a pool of connections, transactions,
 * migrations.
 *
 * <p>One dialect, plain SQL through Jdbi. A table belongs to one package; nobody else reads or
 * writes it. {@link net.postern.db.BundledPostgres} runs PostgreSQL's own binaries as a child
 * process on loopback, with a password, below the data directory, and starts it again when it dies.
 */
@NullMarked
package net.postern.db;

import org.jspecify.annotations.NullMarked;
