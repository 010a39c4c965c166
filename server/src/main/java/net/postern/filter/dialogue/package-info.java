/**
 * Findings of the checks that run while the sender is connected. {@link
 * net.postern.filter.dialogue.DialogueStage} has the one table of what each weighs.
 */
@NullMarked
package net.postern.filter.dialogue;

import org.jspecify.annotations.NullMarked;
