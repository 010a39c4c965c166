package net.postern.vault;

import java.util.UUID;

/**
 * Where a frame is.
 *
 * @param segment random name of the segment
 * @param offset first byte of the frame within the segment
 * @param length bytes of the whole frame
 */
public record Place(UUID segment, long offset, int length) {}
