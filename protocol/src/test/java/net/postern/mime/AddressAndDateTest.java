package net.postern.mime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AddressAndDateTest {

  private static List<String> read(String text) {
    return Mailbox.parseList(text).stream()
        .map(m -> m.name() + "|" + m.address().map(Object::toString).orElse("-"))
        .toList();
  }

  @Test
  void address_lists() {
    assertEquals(List.of("|ann@example.com"), read("ann@example.com"));
    assertEquals(
        List.of("Ann, B.|ann@example.com", "Bob|bob@example.net"),
        read("\"Ann, B.\" <ann@example.com>, Bob <bob@example.net>"));
    assertEquals(List.of("Ann|ann@example.com"), read("ann@example.com (Ann)"));
    assertEquals(List.of("|a@b.c", "|d@e.f"), read("friends: a@b.c, d@e.f;"));
    assertEquals(List.of("Jörg|j@example.de"), read("=?utf-8?q?J=C3=B6rg?= <j@example.de>"));
    assertEquals(List.of("|user@example.com"), read("<@relay.example:user@example.com>"));
    assertEquals(List.of("|\"a b\"@example.com"), read("\"a b\"@example.com"));
    assertEquals(List.of("Ann|-"), read("Ann <nobody>"));
    assertEquals(List.of("|-"), read("nobody"));
    assertEquals(List.of(), read(" , ;, "));
  }

  @Test
  void dates() {
    Optional<Instant> noon = Optional.of(Instant.parse("2026-06-01T12:00:00Z"));
    assertEquals(noon, MailDate.parse("Mon, 1 Jun 2026 12:00:00 +0000"));
    assertEquals(noon, MailDate.parse("Mon, 01 Jun 2026 05:00:00 -0700 (PDT)"));
    assertEquals(noon, MailDate.parse("1 Jun 26 14:00 CEST"));
    assertEquals(noon, MailDate.parse("Mon, 1-Jun-2026 12:00:00 GMT"));
    assertEquals(noon, MailDate.parse("Mon 1 June 2026 12:00:00"));
    assertEquals(Optional.empty(), MailDate.parse("tomorrow"));
    assertEquals(Optional.empty(), MailDate.parse("Mon, 31 Feb 2026 12:00:00 +0000"));
    assertEquals(Optional.empty(), MailDate.parse(""));
  }
}
