package net.postern.edge.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ChecksDocsTest {

  @Test
  void thePageIsWhatTheChecksSay() throws Exception {
    assertEquals(
        Files.readString(Path.of("../docs", ChecksDocs.PAGE)),
        ChecksDocs.page(),
        "run ./postern config docs");
  }

  @Test
  void aChoiceIsCheckedBeforeItIsKept() {
    for (String fine :
        new String[] {
          "greylist on", "dnsbl off", "spf refuse", "dnsbl_threshold 8", "dnsbl default"
        }) {
      String[] words = fine.split(" ");
      assertEquals(Optional.empty(), Choices.problem(words[0], words[1]), fine);
    }
    for (String bad :
        new String[] {
          "greylist maybe",
          "known_recipient off",
          "spf on",
          "dnsbl_threshold 0",
          "dnsbl_threshold many",
          "no_such on"
        }) {
      String[] words = bad.split(" ");
      assertTrue(Choices.problem(words[0], words[1]).isPresent(), bad);
    }
  }
}
