package net.postern.submission;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.postern.config.ByteSize;
import net.postern.config.SubmissionConfig;
import net.postern.config.TestConfig;
import net.postern.id.CustomerId;
import net.postern.sasl.ScramServer;
import net.postern.tenant.Lookup;
import net.postern.testkit.ManualClock;
import org.junit.jupiter.api.Test;

class AuthenticatorTest {
  private final TestAccounts accounts = new TestAccounts(CustomerId.create());
  private final SubmissionConfig config =
      TestConfig.with(
          TestConfig.submission(), Map.of("hashMemory", new ByteSize(8 * 1024), "hashPasses", 1));
  private static final Instant START = Instant.parse("2026-03-02T08:00:00Z");
  private final ManualClock clock = new ManualClock(START);
  private final GuessThrottle throttle = new GuessThrottle(clock);
  private final Authenticator logins = start();

  /** A process that has seen no login yet. */
  private Authenticator start() {
    return new Authenticator(
        config,
        accounts,
        throttle,
        new byte[] {1, 2, 3},
        () -> Duration.between(START, clock.instant()).toNanos());
  }

  AuthenticatorTest() {
    accounts.add("ann@example.org", "correct horse");
    accounts.add("bob@example.org", "battery staple");
  }

  private Login login(String authorization, String name, String password) throws Exception {
    return logins.password(authorization, name, password, TestAccounts.at("192.0.2.1"));
  }

  @Test
  void rightWrongAndUnknown() throws Exception {
    var ok = assertInstanceOf(Login.Ok.class, login("", "Ann@Example.org", "correct horse"));
    assertEquals(TestAccounts.mailbox("ann@example.org"), ok.user().mailbox());
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", "correct horse"));
    assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "battery staple"));
    assertInstanceOf(Login.Wrong.class, login("", "eve@example.org", "correct horse"));
    assertInstanceOf(Login.Wrong.class, login("", "no address", "correct horse"));
    assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "\u0007"));
    accounts.away = true;
    assertInstanceOf(Login.Unavailable.class, login("", "ann@example.org", "correct horse"));
  }

  @Test
  void nobodyActsAsSomeoneElse() throws Exception {
    assertInstanceOf(Login.Ok.class, login("ann@example.org", "ann@example.org", "correct horse"));
    assertInstanceOf(
        Login.Wrong.class, login("bob@example.org", "ann@example.org", "correct horse"));
  }

  @Test
  void aNewPasswordCountsAtOnceAndTheOldOneNoMore() throws Exception {
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", "correct horse"));
    accounts.add("ann@example.org", "another one");
    assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "correct horse"));
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", "another one"));
  }

  /** A program with an old password tries it for ever: that is one wrong password. */
  @Test
  void theSameWrongPasswordCountsOnce() throws Exception {
    for (int i = 0; i < 50; i++) {
      assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "old password"));
    }
    // The control: others count each.
    for (int i = 0; i < GuessThrottle.FREE - 1; i++) {
      assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "guess " + i));
    }
    assertInstanceOf(Login.Locked.class, login("", "ann@example.org", "guess again"));
  }

  /** Each minute for two hours, at home. */
  @Test
  void aProgramWithAnOldPasswordLocksNobodyOut() throws Exception {
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", "correct horse"));
    accounts.add("ann@example.org", "another one");
    for (int minute = 0; minute < 120; minute++) {
      clock.advance(Duration.ofMinutes(1));
      assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "correct horse"));
    }
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", "another one"));
    // The control: as many others are not looked at.
    int looked = 0;
    for (int minute = 0; minute < 120; minute++) {
      clock.advance(Duration.ofMinutes(1));
      if (login("", "ann@example.org", "guess " + minute) instanceof Login.Wrong) {
        looked++;
      }
    }
    int guesses = looked;
    assertTrue(looked < 20, () -> guesses + " guesses looked at");
    assertInstanceOf(Login.Locked.class, login("", "ann@example.org", "another one"));
  }

  @Test
  void aProgramThatProvesAnOldPasswordLocksNobodyOut() {
    assertInstanceOf(Login.Ok.class, scram(logins, "ann@example.org", "correct horse"));
    accounts.add("ann@example.org", "another one");
    for (int minute = 0; minute < 120; minute++) {
      clock.advance(Duration.ofMinutes(1));
      assertInstanceOf(Login.Wrong.class, scram(logins, "ann@example.org", "correct horse"));
    }
    assertInstanceOf(Login.Ok.class, scram(logins, "ann@example.org", "another one"));
    // The control: one that nobody ever had is locked, and is no key to the others.
    for (int i = 0; i < GuessThrottle.FREE; i++) {
      assertInstanceOf(Login.Wrong.class, scram(logins, "ann@example.org", "never had"));
    }
    assertInstanceOf(Login.Locked.class, scram(logins, "ann@example.org", "another one"));
  }

  /** A process that never saw the old password cannot know it by its proof. */
  @Test
  void whoLogsInAtHomeIsForgivenWhatAProgramThereProvedWrong() {
    assertInstanceOf(Login.Ok.class, scram(logins, "ann@example.org", "correct horse"));
    accounts.add("ann@example.org", "another one");
    Authenticator fresh = start();
    for (int minute = 1; minute <= 120; minute++) {
      clock.advance(Duration.ofMinutes(1));
      if (minute % 5 == 0) {
        assertInstanceOf(Login.Wrong.class, scram(fresh, "ann@example.org", "correct horse"));
      }
      if (minute % 30 == 0) {
        assertInstanceOf(Login.Ok.class, scram(fresh, "ann@example.org", "another one"));
      }
    }
    // The control: who guesses there gains no more than ten each quarter of an hour.
    int looked = 0;
    for (int tries = 0; tries < 2 * 360; tries++) {
      clock.advance(Duration.ofSeconds(10));
      if (scram(fresh, "ann@example.org", "guess " + tries) instanceof Login.Wrong) {
        looked++;
      }
      if (tries % 6 == 0) {
        scram(fresh, "ann@example.org", "another one");
      }
    }
    int most = 9 * (GuessThrottle.FREE + 4);
    int guesses = looked;
    assertTrue(looked <= most, () -> guesses + " guesses looked at");
  }

  private String salt(String name) {
    ScramServer server =
        ScramServer.begin(
                ("n,,n=" + name + ",r=abc").getBytes(StandardCharsets.UTF_8), false, Map.of())
            .orElseThrow();
    var given =
        assertInstanceOf(
            Authenticator.Challenge.Given.class,
            logins.challenge(server, TestAccounts.at("192.0.2.1")));
    given.proof().abandon();
    return given.proof().challenge().split(",")[1];
  }

  @Test
  void scramGivesNamesThatNobodyHasASaltToo() {
    assertEquals(salt("eve@example.org"), salt("Eve@example.org"));
    assertNotEquals(salt("eve@example.org"), salt("mallory@example.org"));
    assertTrue(salt("ann@example.org").startsWith("s="));
  }

  private static final String PHONE = "phone2-abcdef-abcdef-abcdef";
  private static final String TABLET = "tablet-abcdef-abcdef-abcdef";

  @Test
  void anyOfAUsersPasswordsIsRight() throws Exception {
    accounts.addApp("ann@example.org", "phone", PHONE);
    accounts.addApp("ann@example.org", "tablet", TABLET);
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", PHONE));
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", TABLET));
    assertEquals(List.of("phone", "tablet"), accounts.used);
    assertInstanceOf(Login.Ok.class, login("", "ann@example.org", "correct horse"));
    assertEquals(2, accounts.used.size(), "control: the user's own is no app password");
    assertInstanceOf(Login.Wrong.class, login("", "ann@example.org", "phone2-xxxxxx"));
    assertInstanceOf(Login.Wrong.class, login("", "bob@example.org", PHONE));
    // One without a password of its own.
    accounts.addApp("eve@example.org", "phone", PHONE);
    assertInstanceOf(Login.Ok.class, login("", "eve@example.org", PHONE));
    assertInstanceOf(Login.Wrong.class, login("", "eve@example.org", "correct horse"));
  }

  private Login scram(String name, String password) {
    return scram(logins, name, password);
  }

  private static Login scram(Authenticator logins, String name, String password) {
    ScramClient client = new ScramClient(name, password);
    ScramServer server = ScramServer.begin(client.first(), false, Map.of()).orElseThrow();
    Authenticator.Challenge answer = logins.challenge(server, TestAccounts.at("192.0.2.1"));
    if (answer instanceof Authenticator.Challenge.Ended(Login login)) {
      return login;
    }
    var given = assertInstanceOf(Authenticator.Challenge.Given.class, answer);
    return assertInstanceOf(
            Authenticator.ProofResult.Ended.class,
            given.proof().finish(client.last(given.proof().challenge())))
        .login();
  }

  @Test
  void anyOfAUsersPasswordsProvesItselfByScram() {
    accounts.addApp("ann@example.org", "phone", PHONE);
    assertInstanceOf(Login.Ok.class, scram("ann@example.org", PHONE));
    assertEquals(List.of("phone"), accounts.used);
    assertInstanceOf(Login.Ok.class, scram("ann@example.org", "correct horse"));
    assertInstanceOf(Login.Wrong.class, scram("ann@example.org", TABLET));
    assertEquals(1, accounts.used.size());
  }

  /** Of whom a proxy vouches for nothing is made up while the database is away. */
  @Test
  void vouchedForCannotBeSaidWhileTheDatabaseIsAway() {
    assertEquals(
        Lookup.of(Optional.of(accounts.user("ann@example.org"))),
        logins.vouchedFor("ann@example.org"));
    assertEquals(Lookup.of(Optional.empty()), logins.vouchedFor("nobody@example.org"));
    accounts.away = true;
    assertInstanceOf(Lookup.Unavailable.class, logins.vouchedFor("ann@example.org"));
  }
}
