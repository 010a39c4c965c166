package net.postern.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmailAddressTest {

  @ParameterizedTest
  @ValueSource(ints = {0x00, 0x0a, 0x0d, 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0x9f})
  void controlCharactersAreInNoAddress(int control) {
    String text = Character.toString(control);
    assertEquals(Optional.empty(), EmailAddress.parse("a" + text + "b@example.com"));
    assertEquals(Optional.empty(), EmailAddress.parse("\"a" + text + "b\"@example.com"));
    assertEquals(Optional.empty(), EmailAddress.parse("\"a\\" + text + "b\"@example.com"));
  }

  @ParameterizedTest
  @ValueSource(ints = {'!', 0xa1, 0xe9, 0x5927})
  void theCharactersBesideThemAre(int plain) {
    String local = "a" + Character.toString(plain) + "b";
    assertTrue(EmailAddress.parse(local + "@example.com").isPresent());
    assertTrue(EmailAddress.parse("\"" + local + "\"@example.com").isPresent());
  }
}
