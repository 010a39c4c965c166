/**
 * Keeps every accepted message, encrypted, in several stores.
 *
 * <p>A message becomes a <em>frame</em>; frames are appended to a <em>segment</em>, whose bytes are
 * the same in every store. {@link net.postern.vault.MessageVault#keep} returns when enough stores
 * have synced the frame to disk; frames that arrive meanwhile share the next sync (group commit,
 * DeWitt et al. 1984). The format is drawn at {@code Segment} and {@code FrameCodec}.
 */
@NullMarked
package net.postern.vault;

import org.jspecify.annotations.NullMarked;
