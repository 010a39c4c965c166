/**
 * MIME as it is found in the field, read without ever failing.
 *
 * <p>A message is a header section, an empty line and a body (RFC 5322 §2.1). Content-Type says
 * what the body is (RFC 2045 §5); a multipart body is a row of parts, each with a header section of
 * its own, set apart by boundary lines (RFC 2046 §5.1); Content-Transfer-Encoding says how bytes
 * became lines (RFC 2045 §6). Text outside ASCII in a header is written in encoded-words (RFC 2047)
 * and, in parameters, by RFC 2231.
 *
 * <p>{@link net.postern.mime.Message#parse} takes any bytes in linear time, keeps offsets into them
 * and copies nothing; where the bytes break a rule it takes the reading most mail programs take and
 * notes a {@link net.postern.mime.Defect} with its offset. Content is decoded when asked for.
 * {@link net.postern.mime.HeaderWriter} adds header lines and leaves every other byte as it was.
 */
@NullMarked
package net.postern.mime;

import org.jspecify.annotations.NullMarked;
