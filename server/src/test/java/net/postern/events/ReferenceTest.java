package net.postern.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.postern.events.MailEvent.Reason;

class ReferenceTest {

  @Property
  void itIsReadAsItWasWritten(
      @ForAll Reason reason,
      @ForAll @LongRange(min = 0, max = 4_294_967_295L) long second,
      @ForAll @IntRange(min = 0, max = 131_071) int number) {
    Reference reference = new Reference(Optional.of(reason), Instant.ofEpochSecond(second), number);
    String text = reference.toString();
    assertTrue(text.matches("[0-9A-HJKMNP-TV-Z]{13}"), text);
    assertEquals(Optional.of(reference), Reference.parse(text));
    String typed =
        (text.substring(0, 5) + "-" + text.substring(5))
            .toLowerCase(Locale.ROOT)
            .replace('0', 'o')
            .replace('1', 'l');
    assertEquals(Optional.of(reference), Reference.parse(typed));
  }

  @Property
  void whateverIsTypedIsReadOrRefused(@ForAll String text) {
    Optional<Reference> reference = Reference.parse(text);
    assertTrue(reference.isEmpty() || text.length() >= 13, text);
  }

  @Example
  void noTwoReasonsLookAlike() {
    assertEquals(
        Reason.values().length,
        Arrays.stream(Reason.values()).mapToInt(Reference::tag).distinct().count());
    assertFalse(Arrays.stream(Reason.values()).anyMatch(reason -> Reference.tag(reason) == 0));
  }

  @Example
  void everyReasonIsExplainedInWords() {
    for (Reason reason : Reason.values()) {
      RefusalHelp help = RefusalHelp.of(reason);
      assertTrue(help.meaning().endsWith("."), reason::name);
      assertTrue(help.advice().endsWith("."), reason::name);
    }
  }
}
