@NullMarked
package net.postern.ledger;

import org.jspecify.annotations.NullMarked;
