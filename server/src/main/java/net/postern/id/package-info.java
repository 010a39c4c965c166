/** Names of things: typed identifiers, so that a message can never be passed for a mailbox. */
@NullMarked
package net.postern.id;

import org.jspecify.annotations.NullMarked;
