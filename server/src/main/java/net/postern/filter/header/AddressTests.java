package net.postern.filter.header;

import static net.postern.filter.Rule.Group.HEADER;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.filter.MailView;
import net.postern.filter.Rule;
import net.postern.filter.content.Domains;
import net.postern.mime.Mailbox;

/** Tests of who the sender says to be. */
public final class AddressTests {
  private AddressTests() {}

  private static final Set<String> FREEMAIL =
      Set.of(
          "gmail.com",
          "googlemail.com",
          "yahoo.com",
          "yahoo.co.uk",
          "yahoo.fr",
          "yahoo.de",
          "yahoo.co.jp",
          "yahoo.com.hk",
          "ymail.com",
          "rocketmail.com",
          "hotmail.com",
          "hotmail.co.uk",
          "hotmail.fr",
          "outlook.com",
          "outlook.fr",
          "outlook.de",
          "live.com",
          "msn.com",
          "aol.com",
          "aim.com",
          "gmx.com",
          "gmx.de",
          "gmx.net",
          "web.de",
          "mail.com",
          "mail.ru",
          "bk.ru",
          "list.ru",
          "inbox.ru",
          "yandex.com",
          "yandex.ru",
          "rambler.ru",
          "qq.com",
          "163.com",
          "126.com",
          "sina.com",
          "sina.cn",
          "foxmail.com",
          "aliyun.com",
          "proton.me",
          "protonmail.com",
          "tutanota.com",
          "tuta.io",
          "zoho.com",
          "icloud.com",
          "me.com",
          "libero.it",
          "virgilio.it",
          "orange.fr",
          "laposte.net",
          "free.fr",
          "seznam.cz",
          "wp.pl",
          "o2.pl",
          "naver.com",
          "daum.net",
          "rediffmail.com",
          "uol.com.br",
          "bol.com.br",
          "mail2world.com",
          "consultant.com",
          "usa.com",
          "post.com",
          "lawyer.com",
          "email.com",
          "gmx.us",
          "gmx.at",
          "gmx.ch",
          "terra.com.br",
          "fastmail.com",
          "hushmail.com",
          "inbox.lv",
          "ukr.net",
          "abv.bg",
          "myself.com",
          "accountant.com",
          "europe.com",
          "asia.com",
          "dr.com",
          "workmail.com",
          "zohomail.com",
          "zohomail.eu",
          "mail.bg");

  /** Names that are imitated most; value: what their own domains contain besides the name. */
  private static final Map<String, List<String>> BRANDS =
      Map.ofEntries(
          Map.entry("paypal", List.of()),
          Map.entry("microsoft", List.of("office", "azure", "outlook", "live.com", "xbox")),
          Map.entry("office 365", List.of("microsoft", "office")),
          Map.entry("microsoft 365", List.of("microsoft", "office")),
          Map.entry("docusign", List.of()),
          Map.entry("netflix", List.of()),
          Map.entry("amazon", List.of("aws", "audible", "primevideo", "a2z")),
          Map.entry("icloud", List.of("apple")),
          Map.entry("apple id", List.of("apple")),
          Map.entry("apple support", List.of("apple")),
          Map.entry("facebook", List.of("meta")),
          Map.entry("instagram", List.of("facebook", "meta")),
          Map.entry("whatsapp", List.of("facebook", "meta")),
          Map.entry("linkedin", List.of()),
          Map.entry("dropbox", List.of()),
          Map.entry("wetransfer", List.of()),
          Map.entry("coinbase", List.of()),
          Map.entry("binance", List.of("bnb")),
          Map.entry("metamask", List.of("consensys")),
          Map.entry("trust wallet", List.of("trustwallet")),
          Map.entry("blockchain.com", List.of("blockchain")),
          Map.entry("ledger live", List.of("ledger")),
          Map.entry("american express", List.of("americanexpress", "aexp", "amex")),
          Map.entry("wells fargo", List.of("wellsfargo")),
          Map.entry("bank of america", List.of("bankofamerica", "bofa")),
          Map.entry("hsbc", List.of()),
          Map.entry("santander", List.of()),
          Map.entry("bradesco", List.of()),
          Map.entry("fedex", List.of()),
          Map.entry("dhl", List.of()),
          Map.entry("usps", List.of()),
          Map.entry("mcafee", List.of()),
          Map.entry("norton", List.of("symantec", "gendigital", "lifelock")),
          Map.entry("geek squad", List.of("geeksquad", "bestbuy")),
          Map.entry("costco", List.of()),
          Map.entry("walmart", List.of()));

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule("FROM_INVALID", 2.0, HEADER, "From has no valid address", AddressTests::invalid),
          new Rule(
              "SPOOF_DISPLAY_NAME",
              2.5,
              HEADER,
              "The display name is an address of another domain",
              AddressTests::forgedName),
          new Rule(
              "FROM_NAME_BRAND",
              2.0,
              HEADER,
              "The display name is that of a company whose domain it is not",
              AddressTests::brand),
          new Rule(
              "FREEMAIL_FORGED_REPLYTO",
              2.5,
              HEADER,
              "Replies go to a free mailbox, From is at another domain",
              AddressTests::freemailReply),
          new Rule(
              "FREEMAIL_REPLYTO",
              1.5,
              HEADER,
              "From and Reply-To are different free mailboxes",
              AddressTests::otherFreemail));

  private static Optional<String> invalid(MailView mail) {
    if (mail.headers().first("From").isEmpty()) {
      return Rule.NO; // MISSING_FROM says so
    }
    return mail.fromAddress().isPresent()
        ? Rule.NO
        : Rule.seen(mail.headers().first("From").map(f -> f.text()).orElse(""));
  }

  private static Optional<String> forgedName(MailView mail) {
    for (Mailbox from : mail.from()) {
      String name = from.name();
      int at = name.indexOf('@');
      if (at <= 0 || from.address().isEmpty()) {
        continue;
      }
      Optional<EmailAddress> shown = EmailAddress.parse(wordAt(name, at));
      // Postings passed on by lists say "ann@example.com via List": that tells, it does not forge.
      if (shown.isPresent()
          && shown.get().domain().indexOf('.') > 0
          && !name.toLowerCase(Locale.ROOT).contains(" via ")
          && !Domains.sameSite(shown.get().domain(), from.address().get().domain())) {
        return Rule.seen(shown.get() + " shown, " + from.address().get() + " used");
      }
    }
    return Rule.NO;
  }

  private static String wordAt(String text, int at) {
    int from = at;
    while (from > 0 && isAddressChar(text.charAt(from - 1))) {
      from--;
    }
    int to = at + 1;
    while (to < text.length() && isAddressChar(text.charAt(to))) {
      to++;
    }
    return text.substring(from, to);
  }

  private static boolean isAddressChar(char c) {
    return Character.isLetterOrDigit(c) || c == '.' || c == '-' || c == '_' || c == '+';
  }

  private static Optional<String> brand(MailView mail) {
    for (Mailbox from : mail.from()) {
      if (from.name().isEmpty() || from.address().isEmpty()) {
        continue;
      }
      String name = from.name().toLowerCase(Locale.ROOT).strip();
      String domain = from.address().get().domain();
      for (Map.Entry<String, List<String>> brand : BRANDS.entrySet()) {
        if (startsWithWord(name, brand.getKey())
            && !domain.contains(brand.getKey().replace(" ", ""))
            && brand.getValue().stream().noneMatch(domain::contains)) {
          return Rule.seen(from.name() + " at " + domain);
        }
      }
    }
    return Rule.NO;
  }

  private static boolean startsWithWord(String text, String word) {
    return text.startsWith(word)
        && (text.length() == word.length()
            || !Character.isLetterOrDigit(text.charAt(word.length())));
  }

  private static Optional<String> freemailReply(MailView mail) {
    Optional<EmailAddress> from = mail.fromAddress();
    Optional<EmailAddress> reply = reply(mail);
    return from.isPresent()
            && reply.isPresent()
            && FREEMAIL.contains(reply.get().domain())
            && !FREEMAIL.contains(from.get().domain())
        ? Rule.seen(reply.get().toString())
        : Rule.NO;
  }

  private static Optional<String> otherFreemail(MailView mail) {
    Optional<EmailAddress> from = mail.fromAddress();
    Optional<EmailAddress> reply = reply(mail);
    return from.isPresent()
            && reply.isPresent()
            && FREEMAIL.contains(reply.get().domain())
            && FREEMAIL.contains(from.get().domain())
            && !from.get().key().equals(reply.get().key())
        ? Rule.seen(reply.get().toString())
        : Rule.NO;
  }

  private static Optional<EmailAddress> reply(MailView mail) {
    for (Mailbox mailbox : mail.replyTo()) {
      if (mailbox.address().isPresent()) {
        return mailbox.address();
      }
    }
    return Optional.empty();
  }
}
