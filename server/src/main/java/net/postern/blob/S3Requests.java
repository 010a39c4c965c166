package net.postern.blob;

/**
 * How many requests a store has sent since it was opened, tries of the same request each for
 * itself: what a provider charges for.
 *
 * @param put of objects and pieces
 * @param get of objects and parts of them
 * @param list of keys, versions and unfinished uploads
 * @param head what asks for the properties of one object or of the bucket
 * @param delete one for each object or for up to a thousand
 * @param multipart begin, part, completion and abort of multipart uploads
 */
public record S3Requests(long put, long get, long list, long head, long delete, long multipart) {

  /** Of all kinds. */
  public long total() {
    return put + get + list + head + delete + multipart;
  }

  /** What was sent since an earlier count. */
  public S3Requests since(S3Requests before) {
    return new S3Requests(
        put - before.put,
        get - before.get,
        list - before.list,
        head - before.head,
        delete - before.delete,
        multipart - before.multipart);
  }
}
