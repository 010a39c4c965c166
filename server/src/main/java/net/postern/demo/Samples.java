package net.postern.demo;

import static net.postern.demo.Sample.Ended.DELIVERED;
import static net.postern.demo.Sample.Ended.FLAGGED;
import static net.postern.demo.Sample.Ended.HELD;
import static net.postern.demo.Sample.Ended.REFUSED;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.UUID;
import net.postern.address.EmailAddress;

/** The samples, in the order in which they are sent. The messages are the files in resources. */
final class Samples {
  static final String DOMAIN = "postern-demo.example";
  static final String OFFICE_DOMAIN = "postern-demo-office.example";
  static final EmailAddress ALICE = new EmailAddress("alice", DOMAIN);
  static final EmailAddress BOB = new EmailAddress("bob", DOMAIN);
  static final EmailAddress CAROL = new EmailAddress("carol", OFFICE_DOMAIN);

  private static final EmailAddress NOBODY = new EmailAddress("nobody-here", DOMAIN);
  private static final EmailAddress ELSEWHERE = new EmailAddress("someone", "elsewhere.example");

  // Both are put together here so that scanners of the machine do not take the sources for them.
  private static final String EICAR =
      "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
  private static final String GTUBE =
      "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-" + "ANTI-UBE-TEST-EMAIL*C.34X";

  // RFC 5322 §3.3
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.US).withZone(ZoneOffset.UTC);

  private static final int LINE = 76;

  private Samples() {}

  /**
   * All samples.
   *
   * @param now for their Date fields
   * @param maxMessage the largest message that the node takes, in bytes
   */
  static List<Sample> all(Instant now, long maxMessage) {
    Files files = new Files(now);
    List<Sample> samples = new ArrayList<>();
    samples.add(
        proper("clean text", ALICE, files.read("clean-text"), new Expect("250 2.0.0", DELIVERED)));
    samples.add(
        proper(
            "newsletter, attachment",
            CAROL,
            files.read("newsletter"),
            new Expect("250 2.0.0", DELIVERED)));
    samples.add(
        proper(
            "spam",
            ALICE,
            files.read("spam-flagged"),
            new Expect("250 2.0.0", FLAGGED, "NORMAL_HTTP_TO_IP", "SUBJ_ALL_CAPS")));
    samples.add(
        proper(
            "phishing",
            BOB,
            files.read("spam-held"),
            new Expect("250 2.0.0", HELD, "SPOOF_DISPLAY_NAME", "PHISHING")));
    samples.add(
        proper("GTUBE", ALICE, files.read("gtube"), new Expect("550 5.7.1", REFUSED, "GTUBE")));
    samples.add(
        proper(
            "EICAR attachment",
            BOB,
            files.read("eicar"),
            new Expect("550 5.7.1", REFUSED, "EICAR")));
    samples.add(
        proper("unknown recipient", NOBODY, files.read("plain"), new Expect("550 5.1.1", REFUSED)));
    samples.add(
        proper("relay attempt", ELSEWHERE, files.read("plain"), new Expect("550 5.7.1", REFUSED)));
    samples.add(
        hostile("oversized", ALICE, new byte[0], maxMessage + 1, new Expect("552 5.3.4", REFUSED)));
    samples.add(
        hostile(
            "oversized, said small",
            ALICE,
            oversized(files.read("plain"), maxMessage),
            1_000,
            new Expect("552 5.3.4", REFUSED)));
    samples.add(
        hostile(
            "smuggling",
            BOB,
            smuggling(files.read("plain"), files.read("smuggled")),
            2_000,
            new Expect("554 5.6.0", REFUSED)));
    samples.add(
        new Sample(
            "two recipients",
            from("two recipients"),
            List.of(BOB, CAROL),
            files.read("two-recipients"),
            OptionalLong.empty(),
            new Expect("250 2.0.0", DELIVERED).expected()));
    return List.copyOf(samples);
  }

  /** Shorter to write than the record. */
  private record Expect(String reply, Sample.Ended ended, String... because) {
    Sample.Expected expected() {
      return new Sample.Expected(reply, ended, Arrays.asList(because));
    }
  }

  private static Sample proper(String name, EmailAddress to, byte[] content, Expect expect) {
    return new Sample(
        name, from(name), List.of(to), content, OptionalLong.empty(), expect.expected());
  }

  private static Sample hostile(
      String name, EmailAddress to, byte[] content, long announced, Expect expect) {
    return new Sample(
        name, from(name), List.of(to), content, OptionalLong.of(announced), expect.expected());
  }

  /** One for each sample, so that what became of it is found again. */
  private static EmailAddress from(String name) {
    return new EmailAddress(
        name.toLowerCase(Locale.ROOT).replaceAll("[^a-z]+", "-"), "sender.example");
  }

  private static byte[] oversized(byte[] start, long maxMessage) {
    ByteArrayOutputStream out = new ByteArrayOutputStream((int) maxMessage + (1 << 16));
    out.writeBytes(start);
    byte[] line = ("x".repeat(LINE) + "\r\n").getBytes(StandardCharsets.US_ASCII);
    while (out.size() <= maxMessage) {
      out.writeBytes(line);
    }
    out.writeBytes(ascii(".\r\n"));
    return out.toByteArray();
  }

  // What CVE-2023-51764 and its kin are about: LF.CRLF is no end of data (RFC 5321 §4.1.1.4), but
  // servers that take it for one read the second message as commands and accept it.
  private static byte[] smuggling(byte[] cover, byte[] smuggled) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(cover);
    out.writeBytes(ascii("\n.\r\n"));
    out.writeBytes(
        ascii("MAIL FROM:<chief@" + DOMAIN + ">\r\nRCPT TO:<" + ALICE + ">\r\nDATA\r\n"));
    out.writeBytes(smuggled);
    out.writeBytes(ascii(".\r\n"));
    return out.toByteArray();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Reads the messages and fills in what is not in the files. */
  private record Files(Instant now) {
    byte[] read(String name) {
      try (InputStream in = Samples.class.getResourceAsStream("/demo/" + name + ".eml")) {
        if (in == null) {
          throw new IllegalStateException("the sample " + name + " is missing from the program");
        }
        String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        return filled(text).getBytes(StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private String filled(String text) {
      return text.replace("\r\n", "\n")
          .replace("\n", "\r\n")
          .replace("@DATE@", DATE.format(now))
          .replace("@ID@", UUID.randomUUID().toString())
          .replace("@GTUBE@", GTUBE)
          .replace("@EICAR_BASE64@", Base64.getEncoder().encodeToString(ascii(EICAR)));
    }
  }
}
