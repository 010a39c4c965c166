package net.postern.filter.content;

import static net.postern.filter.Rule.Group.URL;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import net.postern.filter.MailView;
import net.postern.filter.Rule;

/** Tests of web addresses. */
public final class LinkTests {
  private LinkTests() {}

  private static final List<String> FREE_HOSTS =
      List.of(
          ".web.app",
          ".firebaseapp.com",
          ".weebly.com",
          ".wixsite.com",
          ".workers.dev",
          ".pages.dev",
          ".r2.dev",
          ".000webhostapp.com",
          ".glitch.me",
          ".herokuapp.com",
          ".netlify.app",
          ".vercel.app",
          ".blogspot.com",
          ".azurewebsites.net",
          ".backblazeb2.com",
          ".ipfs.io",
          ".dweb.link",
          ".square.site",
          ".webflow.io",
          ".godaddysites.com",
          ".mystrikingly.com",
          ".github.io",
          ".duckdns.org",
          ".ngrok.io",
          ".fleek.co",
          ".cprapid.com",
          ".plesk.page",
          ".ukit.me",
          ".yolasite.com",
          ".tripod.com");

  /** In order. */
  public static final List<Rule> ALL =
      List.of(
          new Rule(
              "NORMAL_HTTP_TO_IP",
              2.0,
              URL,
              "Links to an IP address",
              mail -> first(mail, link -> isDottedQuad(link.host()))),
          new Rule(
              "NUMERIC_HTTP_ADDR",
              2.5,
              URL,
              "Links to an IP address written as one number",
              mail -> first(mail, link -> isNumber(link.host()))),
          new Rule(
              "HTTP_USER_IN_URL",
              2.5,
              URL,
              "A link names another host before an @ sign",
              mail -> first(mail, LinkTests::foreignUser)),
          new Rule(
              "PHISHING",
              1.2,
              URL,
              "A link shows another domain than it leads to",
              LinkTests::phishing),
          new Rule(
              "FREE_HOSTING_LINK",
              1.0,
              URL,
              "Links to a page on a free host",
              mail -> first(mail, LinkTests::isFreeHost)),
          new Rule(
              "DATA_URL_LINK", 3.0, URL, "A link carries its page in itself", LinkTests::dataUrl));

  @FunctionalInterface
  private interface Trait {
    boolean of(Link link);
  }

  private static Optional<String> first(MailView mail, Trait trait) {
    for (Link link : mail.links()) {
      if (link.isWeb() && trait.of(link)) {
        return Rule.seen(link.url());
      }
    }
    return Rule.NO;
  }

  private static boolean isDottedQuad(String host) {
    int dots = 0;
    for (int i = 0; i < host.length(); i++) {
      char c = host.charAt(i);
      if (c == '.') {
        dots++;
      } else if (c < '0' || c > '9') {
        return false;
      }
    }
    return dots == 3 && host.length() >= 7;
  }

  // WHATWG URL §3.5: browsers take http://3221226219 and http://0xC00002EB for addresses.
  private static boolean isNumber(String host) {
    if (host.startsWith("0x") && host.length() > 2) {
      return host.chars().skip(2).allMatch(c -> Character.digit(c, 16) >= 0 || c == '.');
    }
    return host.length() >= 8 && host.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static boolean foreignUser(Link link) {
    if (!link.hasUser()) {
      return false;
    }
    String url = link.url();
    String user = url.substring(url.indexOf("//") + 2, url.indexOf('@'));
    return user.indexOf('.') > 0;
  }

  private static boolean isFreeHost(Link link) {
    for (String suffix : FREE_HOSTS) {
      if (link.host().endsWith(suffix)) {
        return true;
      }
    }
    return false;
  }

  private static Optional<String> phishing(MailView mail) {
    for (Link link : mail.links()) {
      if (!link.markup() || !link.isWeb()) {
        continue;
      }
      String shown = link.shown();
      boolean url =
          shown.regionMatches(true, 0, "http://", 0, 7)
              || shown.regionMatches(true, 0, "https://", 0, 8);
      if (!url && !shown.regionMatches(true, 0, "www.", 0, 4)) {
        continue;
      }
      String host = Link.hostOf(url ? shown : "http://" + shown);
      if (host.indexOf('.') > 0 && !Domains.sameSite(host, link.host())) {
        return Rule.seen(host + " shown, " + link.host() + " meant");
      }
    }
    return Rule.NO;
  }

  private static Optional<String> dataUrl(MailView mail) {
    for (Link link : mail.links()) {
      if (!link.markup()) {
        continue;
      }
      String start =
          link.url().substring(0, Math.min(link.url().length(), 20)).toLowerCase(Locale.ROOT);
      if (start.startsWith("data:text")) {
        return Rule.seen(start);
      }
    }
    return Rule.NO;
  }
}
