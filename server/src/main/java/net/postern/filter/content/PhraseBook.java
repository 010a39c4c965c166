package net.postern.filter.content;

import java.text.Normalizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds any number of phrases in one pass (Aho and Corasick). Text and phrases are folded first:
 * letters without case and accents, look-alikes of other scripts as Latin, everything else one
 * blank, invisible characters and apostrophes nothing. Immutable.
 */
public final class PhraseBook {
  /** What a phrase is evidence of. */
  public enum Topic {
    ADVANCE_FEE,
    LOTTERY,
    PILLS,
    EXTORTION,
    ACCOUNT,
    LOAN,
    INVESTMENT,
    ADULT,
    MARKETING
  }

  /** A phrase, words set apart by one blank. */
  record Entry(Topic topic, String phrase) {}

  /**
   * What was found.
   *
   * @param seen different phrases, in the order first met
   */
  public record Hits(List<Entry> seen) {
    /** Different phrases of that topic. */
    public int count(Topic topic) {
      int n = 0;
      for (Entry entry : seen) {
        if (entry.topic() == topic) {
          n++;
        }
      }
      return n;
    }

    /** The phrases of that topic, for people. */
    public String detail(Topic topic) {
      StringBuilder out = new StringBuilder();
      for (Entry entry : seen) {
        if (entry.topic() == topic) {
          out.append(out.isEmpty() ? "" : ", ").append(entry.phrase());
        }
      }
      return out.toString();
    }
  }

  private static final int LETTERS = 37; // blank, a to z, 0 to 9
  private static final byte DROP = -1;
  private static final byte[] FOLD = foldTable();

  /** The phrases that are part of the product; made after the table that it needs. */
  public static final PhraseBook SHIPPED = new PhraseBook(Phrases.ALL);

  private final List<Entry> entries;
  // next[state * LETTERS + letter]; states are few enough for 16 bits
  private final char[] next;
  // the phrase that ends in a state, or -1; and the next state with an end on the way of suffixes
  private final int[] ends;
  private final char[] shorter;

  PhraseBook(List<Entry> phrases) {
    this.entries = List.copyOf(phrases);
    int max = 1;
    for (Entry entry : entries) {
      max += entry.phrase().length() + 2;
    }
    if (max > Character.MAX_VALUE) {
      throw new IllegalArgumentException("too many phrases for 16-bit states: " + max);
    }
    char[] goTo = new char[max * LETTERS];
    int[] end = new int[max];
    Arrays.fill(end, -1);
    int states = 1;
    for (int id = 0; id < entries.size(); id++) {
      int state = 0;
      String padded = " " + entries.get(id).phrase() + " ";
      for (int i = 0; i < padded.length(); i++) {
        byte letter = FOLD[padded.charAt(i)];
        if (letter == DROP) {
          continue;
        }
        int at = state * LETTERS + letter;
        if (goTo[at] == 0) {
          goTo[at] = (char) states++;
        }
        state = goTo[at];
      }
      end[state] = id;
    }
    char[] fail = new char[states];
    char[] link = new char[states];
    ArrayDeque<Integer> queue = new ArrayDeque<>();
    for (int letter = 0; letter < LETTERS; letter++) {
      if (goTo[letter] != 0) {
        queue.add((int) goTo[letter]);
      }
    }
    while (!queue.isEmpty()) {
      int state = queue.remove();
      link[state] = end[fail[state]] >= 0 ? fail[state] : link[fail[state]];
      for (int letter = 0; letter < LETTERS; letter++) {
        int at = state * LETTERS + letter;
        char child = goTo[at];
        char back = goTo[fail[state] * LETTERS + letter];
        if (child == 0) {
          goTo[at] = back;
        } else {
          fail[child] = back;
          queue.add((int) child);
        }
      }
    }
    this.next = Arrays.copyOf(goTo, states * LETTERS);
    this.ends = Arrays.copyOf(end, states);
    this.shorter = link;
  }

  /** Looks through a subject and a text. Linear. */
  public Hits find(String subject, String text) {
    Search search = new Search();
    search.feed(" ");
    search.feed(subject);
    search.feed(" ");
    search.feed(text);
    search.feed(" ");
    return new Hits(List.copyOf(search.seen));
  }

  private final class Search {
    private final long[] met = new long[(entries.size() + 63) / 64];
    private final List<Entry> seen = new ArrayList<>(0);
    private int state;
    private boolean blank;

    private void feed(String text) {
      int s = state;
      boolean lastBlank = blank;
      for (int i = 0; i < text.length(); i++) {
        byte letter = FOLD[text.charAt(i)];
        if (letter <= 0) {
          if (letter == DROP || lastBlank) {
            continue;
          }
          lastBlank = true;
        } else {
          lastBlank = false;
        }
        s = next[s * LETTERS + letter];
        if (letter == 0 && (ends[s] >= 0 || shorter[s] != 0)) { // phrases end with a blank
          report(s);
        }
      }
      state = s;
      blank = lastBlank;
    }

    private void report(int at) {
      for (int s = ends[at] >= 0 ? at : shorter[at]; s != 0; s = shorter[s]) {
        int id = ends[s];
        if ((met[id >> 6] & 1L << id) == 0) {
          met[id >> 6] |= 1L << id;
          seen.add(entries.get(id));
        }
      }
    }
  }

  private static byte[] foldTable() {
    byte[] table = new byte[Character.MAX_VALUE + 1];
    for (int c = 0; c <= Character.MAX_VALUE; c++) {
      if (c < 0x250 || (c >= 0x1e00 && c < 0x1f00) || (c >= 0xff00 && c < 0xff5f)) {
        String plain = Normalizer.normalize(Character.toString(c), Normalizer.Form.NFKD);
        table[c] = letter(plain.charAt(0));
      }
      if (c == 0xad
          || c == '\''
          || c == 0x2019
          || (c >= 0x300 && c < 0x370)
          || (c >= 0x200b && c <= 0x200f)
          || c == 0x2060
          || c == 0xfeff) {
        table[c] = DROP;
      }
    }
    String alike = "аaеeоoрpсcуyхxіiјjѕsһhοoαaρpνvιiκkτtԁdɡgɩiʏy";
    for (int i = 0; i < alike.length(); i += 2) {
      table[alike.charAt(i)] = letter(alike.charAt(i + 1));
      table[Character.toUpperCase(alike.charAt(i))] = letter(alike.charAt(i + 1));
    }
    return table;
  }

  private static byte letter(char c) {
    int lower = c | 0x20;
    if (lower >= 'a' && lower <= 'z' && c < 0x80) {
      return (byte) (lower - 'a' + 1);
    }
    return c >= '0' && c <= '9' ? (byte) (c - '0' + 27) : 0;
  }
}
