package net.postern.mime;

/** A way in which bytes break the rules of MIME or of mail headers. */
public enum Defect {
  /** A line of the header section is neither a field nor a continuation (RFC 5322 §2.2). */
  HEADER_NO_COLON,
  /** White space between the field name and its colon (RFC 5322 §4.5). */
  HEADER_SPACE_BEFORE_COLON,
  /** A byte above 127 that is not part of valid UTF-8 (RFC 6532 §3.2 allows only UTF-8). */
  HEADER_RAW_8BIT,
  /** A NUL in a header field (RFC 5322 §4). */
  HEADER_NUL,
  /** A CR that no LF follows in a header field (RFC 5322 §2.2). */
  HEADER_BARE_CR,
  /** A continuation line of white space only (RFC 5322 §3.2.2). */
  HEADER_BLANK_CONTINUATION,
  /** A header line above 998 octets (RFC 5322 §2.1.1). */
  HEADER_LINE_TOO_LONG,
  /** More fields than {@link ParseLimits#maxFields}; the rest is not read. */
  HEADER_TOO_MANY_FIELDS,
  /** The header section of a part ends at a boundary or at the end, without an empty line. */
  HEADER_NO_END,
  /** An mbox {@code From } or {@code >From } line before the header section. */
  MBOX_FROM_LINE,
  /** More than one Content-Type field: programs differ in which they take. */
  CONTENT_TYPE_REPEATED,
  /** Content-Type is not {@code type/subtype} (RFC 2045 §5.1). */
  CONTENT_TYPE_INVALID,
  /** More than one Content-Transfer-Encoding field. */
  TRANSFER_ENCODING_REPEATED,
  /** An encoding that RFC 2045 §6.1 does not know; read as if absent. */
  TRANSFER_ENCODING_UNKNOWN,
  /** A multipart under base64 or quoted-printable (RFC 2045 §6.4 forbids it); read as plain. */
  TRANSFER_ENCODING_ON_MULTIPART,
  /** A message/rfc822 under base64 or quoted-printable (RFC 2046 §5.2.1); read decoded. */
  TRANSFER_ENCODING_ON_MESSAGE,
  /** More than one Content-Disposition field. */
  DISPOSITION_REPEATED,
  /** A parameter that does not parse (RFC 2045 §5.1). */
  PARAMETER_INVALID,
  /** A parameter given twice. */
  PARAMETER_REPEATED,
  /** The plain and the RFC 2231 form of a parameter say different things. */
  PARAMETER_FORMS_DIFFER,
  /** An encoded-word inside a parameter (RFC 2047 §5 forbids it; many programs write it). */
  PARAMETER_ENCODED_WORD,
  /** The name in Content-Type and that in Content-Disposition differ. */
  FILE_NAMES_DIFFER,
  /** A multipart without a boundary parameter; read as one part. */
  BOUNDARY_MISSING,
  /** A boundary over 70 characters or with characters outside RFC 2046 §5.1.1. */
  BOUNDARY_INVALID,
  /** A boundary that an enclosing multipart uses already. */
  BOUNDARY_REUSED,
  /** The first boundary line never comes; read as one part. */
  BOUNDARY_NEVER_FOUND,
  /** The closing boundary line is missing. */
  BOUNDARY_NOT_CLOSED,
  /** A line starts with the boundary but goes on with other text; read as content. */
  BOUNDARY_LOOKALIKE,
  /** Text after the closing boundary line (RFC 2046 §5.1.1: to be ignored). */
  EPILOGUE_CONTENT,
  /** Parts nested deeper than {@link ParseLimits#maxDepth}; the rest is one part. */
  TOO_DEEP,
  /** More parts than {@link ParseLimits#maxParts}; the rest is one part. */
  TOO_MANY_PARTS,
  /** More defects than {@link ParseLimits#maxDefects}; further ones are not recorded. */
  TOO_MANY_DEFECTS,
  /** Base64 with characters outside its alphabet (RFC 2045 §6.8: to be ignored). */
  BASE64_FOREIGN_CHARACTER,
  /** Base64 that goes on after padding. */
  BASE64_PADDING_INSIDE,
  /** Base64 that ends in the middle of a group. */
  BASE64_TRUNCATED,
  /** A {@code =} that is neither an escape nor a soft line break (RFC 2045 §6.7). */
  QUOTED_PRINTABLE_BAD_ESCAPE,
  /** A charset that is not known; UTF-8 is tried, then windows-1252. */
  CHARSET_UNKNOWN;

  /** A defect and where it starts, in bytes from the beginning of the buffer it is in. */
  public record At(Defect defect, int offset) {}
}
