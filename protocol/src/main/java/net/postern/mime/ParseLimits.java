package net.postern.mime;

/**
 * How much structure the parser builds before it stops and says so with a {@link Defect}.
 *
 * @param maxDepth of parts in parts
 * @param maxParts in the whole message, containers included
 * @param maxFields in one header section
 * @param maxDefects recorded for one message
 */
public record ParseLimits(int maxDepth, int maxParts, int maxFields, int maxDefects) {

  /** Far above what good mail needs, far below what costs time. */
  public static final ParseLimits DEFAULT = new ParseLimits(32, 1000, 1000, 200);

  public ParseLimits {
    if (maxDepth < 1 || maxParts < 1 || maxFields < 1 || maxDefects < 1) {
      throw new IllegalArgumentException("limits must be positive");
    }
  }
}
