package net.postern.submission;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.postern.config.ByteSize;
import net.postern.config.SubmissionConfig;
import net.postern.config.TestConfig;
import net.postern.id.CustomerId;
import net.postern.sasl.ScramServer;
import net.postern.tenant.Lookup;
import org.junit.jupiter.api.Test;

class AuthenticatorTest {
  private final TestAccounts accounts = new TestAccounts(CustomerId.create());
  private final SubmissionConfig config =
      TestConfig.with(
          TestConfig.submission(), Map.of("hashMemory", new ByteSize(8 * 1024), "hashPasses", 1));
  private final Authenticator logins =
      new Authenticator(
          config, accounts, new GuessThrottle(InstantSource.system()), new byte[] {1, 2, 3});

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
    ScramClient client = new ScramClient(name, password);
    ScramServer server = ScramServer.begin(client.first(), false, Map.of()).orElseThrow();
    var given =
        assertInstanceOf(
            Authenticator.Challenge.Given.class,
            logins.challenge(server, TestAccounts.at("192.0.2.1")));
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
