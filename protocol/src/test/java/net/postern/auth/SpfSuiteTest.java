package net.postern.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The suites that all implementations of SPF are measured by. */
class SpfSuiteTest {
  /** What the suites have; so many are to be tried. */
  private static final int CASES_OF_7208 = 203;

  private static final int CASES_OF_4408 = 191;

  @Test
  void everyCaseOfRfc7208() throws IOException {
    List<SpfSuite.Case> cases = SpfSuite.read("rfc7208-tests.yml");
    assertEquals("", String.join("\n", wrong(cases, SpfSuiteTest::check)));
    assertEquals(CASES_OF_7208, cases.size());
  }

  /**
   * The suite of the older standard, in the state in which pyspf keeps it. Where the two standards
   * differ it allows the newer one's result as well, so there is no difference to list.
   */
  @Test
  void everyCaseOfRfc4408() throws IOException {
    List<SpfSuite.Case> cases = SpfSuite.read("rfc4408-tests.yml");
    assertEquals("", String.join("\n", wrong(cases, SpfSuiteTest::check)));
    assertEquals(CASES_OF_4408, cases.size());
  }

  /** The control: whoever gives one result to all is wrong nearly always. */
  @Test
  void theSuiteSeesWrongResults() throws IOException {
    List<SpfSuite.Case> cases = SpfSuite.read("rfc7208-tests.yml");
    for (SpfResult.Code code : SpfResult.Code.values()) {
      SpfResult same = new SpfResult(code, "", Optional.empty(), Optional.empty(), "");
      int wrong = wrong(cases, of -> same).size();
      assertTrue(wrong > 100, code + " for all is wrong only " + wrong + " times");
    }
  }

  private interface Checker {
    SpfResult check(SpfSuite.Case of);
  }

  private static SpfResult check(SpfSuite.Case of) {
    return new Spf(of.zone(), Spf.STANDARD_LIMIT, Clock.systemUTC()).check(of.question());
  }

  private static List<String> wrong(List<SpfSuite.Case> cases, Checker checker) {
    List<String> wrong = new ArrayList<>();
    for (SpfSuite.Case of : cases) {
      SpfResult result = checker.check(of);
      if (!of.expected().contains(result.code().toString())) {
        wrong.add(of + ": " + result + " instead of " + of.expected());
      } else if (of.explanation().isPresent()) {
        String told = result.explanation().orElse("DEFAULT");
        if (!told.equals(of.explanation().get())) {
          wrong.add(of + ": told \"" + told + "\" instead of " + of.explanation());
        }
      }
    }
    return wrong;
  }
}
