package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ParcelTest {
  private static final String NAME = "keys/00000000-0000-0000-0000-000000000007";

  @Property(tries = 100)
  void comesBackAndNeitherAPrefixNorOneFlippedBitPasses(
      @ForAll @LongRange(min = 1) long generation, @ForAll @Size(max = 60) byte[] content)
      throws IOException {
    byte[] bytes = new Parcel(generation, content).encode(NAME);
    assertEquals(new Parcel(generation, content), Parcel.decode(NAME, bytes), "the control");
    for (int length = 0; length < bytes.length; length++) {
      byte[] prefix = Arrays.copyOf(bytes, length);
      assertThrows(IOException.class, () -> Parcel.decode(NAME, prefix));
    }
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThrows(IOException.class, () -> Parcel.decode(NAME, flipped));
    }
  }

  @Test
  void anotherNameDoesNotPass() throws IOException {
    byte[] bytes = new Parcel(1, new byte[9]).encode(NAME);
    assertThrows(IOException.class, () -> Parcel.decode(NAME.replace('7', '8'), bytes));
    assertEquals(9, Parcel.decode(NAME, bytes).content().length, "the control");
  }

  @Test
  void theHigherGenerationIsRightWhateverItsBytes() {
    assertTrue(new Parcel(2, new byte[] {0}).compareTo(new Parcel(1, new byte[] {9})) > 0);
    assertTrue(new Parcel(2, new byte[] {1}).compareTo(new Parcel(2, new byte[] {0})) > 0);
  }

  @Test
  void boundsAreKept() {
    assertThrows(IllegalArgumentException.class, () -> new Parcel(0, new byte[0]));
    assertThrows(
        IllegalArgumentException.class, () -> new Parcel(1, new byte[Parcel.MAX_CONTENT + 1]));
  }
}
