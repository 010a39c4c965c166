package net.postern.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A message as it arrives: chunks that grow with it, all charged to the {@link ReceiveMemory}.
 * {@link #release} has to be called in the end; it may be called often. One thread.
 */
final class MessageBuffer {
  private static final int FIRST_CHUNK = 16 * 1024;
  private static final int MAX_FIRST_CHUNK = 64 * 1024;
  private static final int MAX_CHUNK = 1024 * 1024;

  /** CRLF.CRLF's last three octets are read into the chunk too. */
  private static final int END_OF_DATA = 3;

  private static final byte[] EMPTY = {};

  private final ReceiveMemory memory;
  private final List<byte[]> full = new ArrayList<>(0);
  private byte[] chunk = EMPTY;
  private int position;
  private long fullBytes;
  private long charged;

  MessageBuffer(ReceiveMemory memory) {
    this.memory = memory;
  }

  /**
   * Makes the first chunk.
   *
   * @param announced by SIZE, 0 when nothing was; a hint only
   * @return false when memory is used up
   */
  boolean open(long announced) {
    long wanted = announced == 0 ? FIRST_CHUNK : Math.min(announced + 64, MAX_FIRST_CHUNK);
    return newChunk((int) Math.max(wanted, 1024) + END_OF_DATA);
  }

  /** Makes room for more; false when memory is used up. */
  boolean ensureRoom() {
    if (position < chunk.length) {
      return true;
    }
    byte[] last = chunk;
    if (!newChunk(Math.clamp(size(), FIRST_CHUNK, MAX_CHUNK))) {
      return false;
    }
    full.add(last);
    fullBytes += last.length;
    return true;
  }

  /** The array that the next bytes belong in, from {@link #position} on. */
  byte[] chunk() {
    return chunk;
  }

  int position() {
    return position;
  }

  /** Says how far the chunk holds content now. */
  void filledTo(int position) {
    this.position = position;
  }

  /** Bytes of content. */
  long size() {
    return fullBytes + position;
  }

  /**
   * The whole message in one array, which stays charged until {@link #release}; the chunks are let
   * go of. Empty when there is no memory for the copy.
   */
  Optional<byte[]> finish() {
    long size = size();
    if (!memory.take(size)) {
      return Optional.empty();
    }
    byte[] whole = new byte[(int) size];
    int at = 0;
    for (byte[] part : full) {
      System.arraycopy(part, 0, whole, at, part.length);
      at += part.length;
    }
    System.arraycopy(chunk, 0, whole, at, position);
    release();
    charged = size;
    return Optional.of(whole);
  }

  void release() {
    full.clear();
    chunk = EMPTY;
    position = 0;
    fullBytes = 0;
    memory.giveBack(charged);
    charged = 0;
  }

  private boolean newChunk(int length) {
    if (!memory.take(length)) {
      return false;
    }
    charged += length;
    chunk = new byte[length];
    position = 0;
    return true;
  }
}
