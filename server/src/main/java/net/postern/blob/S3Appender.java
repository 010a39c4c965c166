package net.postern.blob;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * An object that grows, in pieces: each append is one piece and one request, durable when the
 * server has answered. The same bytes go into an upload of the whole object, which takes the
 * pieces' place after the end.
 */
final class S3Appender implements Appender {
  private final S3Store store;
  private final String object;
  private final S3Pieces pieces;
  private final S3Upload upload;
  private long length;
  private boolean broken;
  private boolean closed;

  S3Appender(S3Store store, String object, S3Pieces pieces, S3Upload upload) {
    this.store = store;
    this.object = object;
    this.pieces = pieces;
    this.upload = upload;
  }

  @Override
  public void append(ByteBuffer content) throws IOException {
    requireUsable();
    S3Calls.Body body = S3Calls.Body.of(content);
    if (body.length() == 0) {
      return;
    }
    try {
      store.putPiece(object, length, body);
    } catch (IOException | RuntimeException e) {
      // Whether the piece is there is not known: nothing may be put behind it.
      broken = true;
      throw e;
    }
    pieces.add(length, body.length());
    length += body.length();
    content.position(content.limit());
    upload.add(body);
  }

  @Override
  public void truncate(long to) throws IOException {
    requireUsable();
    if (to >= length) {
      return;
    }
    upload.truncate(to);
    try {
      for (long offset : pieces.backwards()) {
        int held = pieces.lengthAt(offset);
        if (offset + held <= to) {
          break;
        }
        if (offset >= to) {
          store.removePiece(object, offset);
          pieces.remove(offset);
        } else {
          int left = (int) (to - offset);
          store.shortenPiece(object, offset, left);
          pieces.add(offset, left);
        }
        length = pieces.length();
      }
    } catch (IOException | RuntimeException e) {
      broken = true;
      throw e;
    }
  }

  private void requireUsable() throws IOException {
    if (closed || broken) {
      throw new IOException(
          "store %s: %s takes no more: %s"
              .formatted(store.name(), object, closed ? "it is closed" : "a write to it failed"));
    }
  }

  /** Returns at once; the whole object is put together meanwhile. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    store.finish(object, pieces, upload, broken);
  }
}
