package net.postern.ldap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.unboundid.ldap.sdk.Attribute;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import net.postern.tenant.DirectorySnapshot;
import net.postern.tenant.DirectorySource;
import net.postern.tenant.DirectorySource.Shape;
import net.postern.testkit.Slapd;
import net.postern.testkit.TestCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Directories of both shapes, with and without TLS, whole or not at all. */
class LdapReaderTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // JUnit sets it
  private Path temp;

  @SuppressWarnings("NullAway.Init") // open() sets it
  private LdapWorld world;

  @BeforeEach
  void open() throws Exception {
    world = new LdapWorld(temp);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void ad(String cn, String... lines) throws Exception {
    world.server.add(
        java.util.stream.Stream.concat(
                java.util.stream.Stream.of("dn: cn=" + cn + "," + LdapWorld.BASE, "cn: " + cn),
                java.util.Arrays.stream(lines))
            .toArray(String[]::new));
  }

  @Test
  void activeDirectoryHasItsOwnWays() throws Exception {
    ad(
        "ann",
        "objectClass: user",
        "userAccountControl: 512",
        "mail: old@example.com",
        "proxyAddresses: smtp:sales@example.com",
        "proxyAddresses: SMTP:Ann@example.com",
        "proxyAddresses: x500:/o=Example/cn=ann",
        "proxyAddresses: sip:ann@example.com");
    ad("bob", "objectClass: user", "userAccountControl: 514", "mail: bob@example.com");
    ad(
        "room",
        "objectClass: user",
        "userAccountControl: 514",
        "msExchRecipientTypeDetails: 16",
        "mail: room@example.com");
    ad("pc$", "objectClass: user", "objectClass: computer", "mail: pc@example.com");
    ad("nobody", "objectClass: user", "userAccountControl: 512");
    ad("friend", "objectClass: contact", "mail: friend@elsewhere.example");
    ad(
        "team",
        "objectClass: group",
        "mail: team@example.com",
        "member: cn=ann," + LdapWorld.BASE,
        "member: cn=bob," + LdapWorld.BASE,
        "member: CN=Friend, DC=example, dc=com",
        "member: cn=nobody," + LdapWorld.BASE);
    LdapSync.Looked looked = LdapSync.look(world.source(Shape.AD));
    DirectorySnapshot found = looked.snapshot();
    assertEquals(
        List.of("[Ann@example.com, old@example.com, sales@example.com]", "[room@example.com]"),
        found.people().stream().map(each -> each.addresses().toString()).sorted().toList());
    assertEquals(
        List.of("Ann@example.com", "friend@elsewhere.example"),
        found.groups().getFirst().members().stream().map(Object::toString).sorted().toList());
    assertEquals(2, looked.notes().size(), looked.notes()::toString);
  }

  @Test
  void allPagesAreRead() throws Exception {
    for (int i = 0; i < 1_203; i++) {
      world.person("u" + i, "u" + i + "@example.com");
    }
    DirectorySnapshot found = LdapSync.look(world.source(Shape.OPENLDAP)).snapshot();
    assertEquals(1_203, found.people().size());
    assertEquals(
        1_203,
        new TreeSet<>(found.people().stream().map(DirectorySnapshot.Person::entry).toList())
            .size());
  }

  /** One server may give any number of large entries. */
  @Test
  void whatIsTooLargeInAllIsBrokenOff() throws Exception {
    for (int i = 0; i < 20; i++) {
      world.person("u" + i, "u" + i + "@example.com");
    }
    var source = world.source(Shape.OPENLDAP);
    try (LdapReader reader = new LdapReader(source, Duration.ofMinutes(1), 1_000)) {
      LdapFailure failure = assertThrows(LdapFailure.class, reader::read);
      assertTrue(String.valueOf(failure.getMessage()).contains("larger"), failure::toString);
    }
    // The control: there is room for as many.
    try (LdapReader reader = new LdapReader(source, Duration.ofMinutes(1), 100_000)) {
      assertEquals(20, reader.read().people().size());
    }
  }

  @Test
  void largeGroupsOfActiveDirectoryComeInParts() {
    assertEquals(Optional.of(1499), LdapReader.rangeEnd(new Attribute("member;range=0-1499", "x")));
    assertEquals(Optional.empty(), LdapReader.rangeEnd(new Attribute("member;Range=1500-*", "x")));
    assertEquals(Optional.empty(), LdapReader.rangeEnd(new Attribute("member", "x")));
  }

  @Test
  void tlsIsVerifiedAndThePasswordNotSentOtherwise() throws Exception {
    world.person("ann", "ann@example.com");
    String right = world.certificate.certificatePem();
    String stranger = TestCertificate.forName("127.0.0.1").certificatePem();
    assertEquals(1, people(world.tlsUrl(), false, right));
    assertEquals(1, people(world.url(), true, right));
    for (String trusted : List.of(stranger, "")) {
      assertThrows(LdapFailure.class, () -> people(world.tlsUrl(), false, trusted));
      assertThrows(LdapFailure.class, () -> people(world.url(), true, trusted));
    }
    // The certificate is for 127.0.0.1.
    for (String url : List.of(world.tlsUrl(), world.url())) {
      LdapFailure name =
          assertThrows(
              LdapFailure.class,
              () -> people(url.replace("127.0.0.1", "localhost"), true, right),
              url);
      assertTrue(String.valueOf(name.getMessage()).contains("localhost"), name::toString);
    }
    assertThrows(LdapFailure.class, () -> people(world.tlsUrl(), false, "-----BEGIN nothing"));
  }

  @Test
  void theNextServerIsAskedWhenOneIsAway() throws Exception {
    world.person("ann", "ann@example.com");
    DirectorySource source =
        world.source(
            Shape.OPENLDAP,
            List.of("ldap://127.0.0.1:1", world.url()),
            false,
            "",
            LdapWorld.BIND,
            LdapWorld.PASSWORD);
    assertEquals(1, LdapSync.look(source).snapshot().people().size());
  }

  private int people(String url, boolean startTls, String trusted) throws LdapFailure {
    return LdapSync.look(
            world.source(
                Shape.OPENLDAP,
                List.of(url),
                startTls,
                trusted,
                LdapWorld.BIND,
                LdapWorld.PASSWORD))
        .snapshot()
        .people()
        .size();
  }

  @Test
  void inputThatIsNoDirectoryIsToldBeforeItIsUsed() {
    assertEquals(
        Optional.empty(),
        LdapSources.check(List.of("ldaps://ldap.example.com"), LdapWorld.BASE, "", "(cn=x)"));
    assertTrue(LdapSources.check(List.of("http://x"), LdapWorld.BASE, "", "").isPresent());
    assertTrue(LdapSources.check(List.of("ldap:///"), LdapWorld.BASE, "", "").isPresent());
    assertTrue(LdapSources.check(List.of("ldap://x"), "nothing", "", "").isPresent());
    assertTrue(LdapSources.check(List.of("ldap://x"), LdapWorld.BASE, "(cn=", "").isPresent());
    assertTrue(LdapSources.plain(List.of("ldap://ldap.example.com")));
    assertTrue(!LdapSources.plain(List.of("ldaps://ldap.example.com", "ldap://127.0.0.1")));
  }

  /** Debian's slapd, with its own ideas of operational attributes, paging and TLS. */
  @Test
  void slapdIsReadOverTlsPageByPage() throws Exception {
    StringBuilder ldif = new StringBuilder();
    for (int i = 0; i < 700; i++) {
      ldif.append(
          """
          dn: uid=u%1$d,%2$s
          objectClass: inetOrgPerson
          uid: u%1$d
          cn: User %1$d
          sn: User
          mail: u%1$d@example.com

          """
              .formatted(i, Slapd.BASE));
    }
    ldif.append(
        """
        dn: cn=staff,%1$s
        objectClass: groupOfNames
        objectClass: extensibleObject
        cn: staff
        mail: staff@example.com
        member: uid=u0,%1$s
        member: uid=u699,%1$s

        """
            .formatted(Slapd.BASE));
    try (Slapd slapd = Slapd.start(ldif.toString())) {
      for (DirectorySource each :
          List.of(
              slapd(slapd.url(), true, slapd.certificate(), Slapd.PASSWORD),
              slapd(slapd.tlsUrl(), false, slapd.certificate(), Slapd.PASSWORD))) {
        DirectorySnapshot found = LdapSync.look(each).snapshot();
        assertEquals(700, found.people().size());
        assertEquals(2, found.groups().getFirst().members().size());
        assertTrue(
            found.people().stream().allMatch(person -> person.entry().length() == 36), "entryUUID");
      }
      assertThrows(
          LdapFailure.class, () -> LdapSync.look(slapd(slapd.tlsUrl(), false, "", Slapd.PASSWORD)));
      LdapFailure wrong =
          assertThrows(
              LdapFailure.class,
              () -> LdapSync.look(slapd(slapd.tlsUrl(), false, slapd.certificate(), "wrong")));
      assertTrue(String.valueOf(wrong.getMessage()).contains("password is wrong"));

      world.set(slapd(slapd.url(), true, slapd.certificate(), Slapd.PASSWORD));
      long start = System.nanoTime();
      assertEquals(700, world.run().users());
      System.out.printf(
          "postern-figure: first sync of 700 users %d ms%n",
          (System.nanoTime() - start) / 1_000_000);
      start = System.nanoTime();
      assertEquals(0, world.run().added());
      System.out.printf(
          "postern-figure: sync without change %d ms%n", (System.nanoTime() - start) / 1_000_000);
      slapd.stop();
      assertThrows(Exception.class, () -> world.run());
      assertTrue(world.mailbox("u0").isPresent());
      slapd.restart();
      assertEquals(0, world.run().ending());
    }
  }

  private DirectorySource slapd(String url, boolean startTls, String trusted, String password) {
    return world.source(Shape.OPENLDAP, List.of(url), startTls, trusted, Slapd.ADMIN, password);
  }
}
