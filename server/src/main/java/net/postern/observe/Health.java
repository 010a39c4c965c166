package net.postern.observe;

/**
 * What a check found.
 *
 * @param ok whether the node can do its work as far as this check goes
 * @param detail for people, one line
 */
public record Health(boolean ok, String detail) {

  public static Health up(String detail) {
    return new Health(true, detail);
  }

  public static Health down(String detail) {
    return new Health(false, detail);
  }
}
