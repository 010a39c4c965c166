package net.postern.greylist;

import java.util.Locale;
import java.util.regex.Pattern;
import net.postern.address.EmailAddress;

/**
 * One form of the reverse-paths that a sender makes anew for each message or attempt: signed ones
 * (BATV {@code prvs=}, SRS) and those that carry the recipient or a number (VERP).
 */
final class SenderForm {
  /** BATV: {@code prvs=KDDDSSSSSS=user}, and the older {@code btv1==...==user}. */
  private static final Pattern BATV =
      Pattern.compile("^(?:prvs=[0-9a-f]{10}=|btv1==[0-9a-f]+==|msprvs1=[^=]+=)(.+)$");

  /** SRS0=hash=time=domain=user, and SRS1=hash=forwarder=...: the hash and the time change. */
  private static final Pattern SRS = Pattern.compile("^srs[01][=+-].*$");

  /** Parts between separators that have a digit: numbers, times, hashes. */
  private static final Pattern COUNTED = Pattern.compile("[0-9a-z]*[0-9][0-9a-z]*");

  private SenderForm() {}

  /** The form, lower case. */
  static String of(EmailAddress sender) {
    String local = sender.localPart().toLowerCase(Locale.ROOT);
    var batv = BATV.matcher(local);
    if (batv.matches()) {
      local = batv.group(1);
    }
    if (SRS.matcher(local).matches()) {
      local = "srs";
    }
    int plus = local.indexOf('+');
    if (plus > 0) {
      local = local.substring(0, plus);
    }
    return COUNTED.matcher(local).replaceAll("#") + "@" + sender.domain();
  }
}
