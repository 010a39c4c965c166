package net.postern.filter.dialogue;

import static net.postern.filter.Rule.Group.DIALOGUE;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.postern.filter.Finding;
import net.postern.filter.MailView;
import net.postern.filter.Noted;
import net.postern.filter.Rule;
import net.postern.filter.Stage;
import net.postern.filter.StageResult;

/** Weighs what the checks of the SMTP dialogue noted; see {@code docs/checks.md} for these. */
public final class DialogueStage implements Stage {
  /** Findings of one message; more of them than checks can give are not looked at. */
  private static final int MAX = 100;

  /** The table. */
  private static final List<Rule> ALL =
      List.of(
          rule("DNSBL_HIGH", 5, "Block lists name the client: weights of 6 or more together"),
          rule("DNSBL_MEDIUM", 3, "Block lists name the client: weights of 3 to 5 together"),
          rule("DNSBL_LOW", 1, "Block lists name the client: weights of 1 or 2 together"),
          rule("DNSBL_GOOD", -2, "Allow lists name the client"),
          rule("DNSBL_SILENT", 0, "A block list did not answer in time about the client"),
          rule("DOMAIN_LIST_HIGH", 5, "Block lists name the sender's domain: 6 or more together"),
          rule("DOMAIN_LIST_MEDIUM", 3, "Block lists name the sender's domain: 3 to 5 together"),
          rule("DOMAIN_LIST_LOW", 1, "Block lists name the sender's domain: 1 or 2 together"),
          rule("DOMAIN_LIST_GOOD", -1, "Allow lists name the sender's domain"),
          rule("DOMAIN_LIST_SILENT", 0, "A list of domains did not answer in time"),
          rule("RDNS_NONE", 1.5, "The DNS has no name for the client"),
          rule("RDNS_UNVERIFIED", 0.5, "The client's name in the DNS does not have its address"),
          rule("RDNS_DNSFAIL", 0, "The client's name could not be looked up"),
          rule("HFILTER_HELO_BAREIP", 2, "The HELO name is a bare address"),
          rule(
              "HFILTER_HELO_BADIP",
              2.5,
              "The HELO name is an address that the client does not have"),
          rule("HFILTER_HELO_NOT_FQDN", 1.5, "The HELO name is no full host name"),
          rule("HFILTER_HELO_NORES_A_OR_MX", 0.5, "The DNS does not have the HELO name"),
          rule("R_SPF_ALLOW", -0.2, "SPF: the client may send for the domain"),
          rule("R_SPF_FAIL", 3, "SPF: the client may not send for the domain"),
          rule("R_SPF_SOFTFAIL", 1, "SPF: the client probably may not send for the domain"),
          rule("R_SPF_NEUTRAL", 0, "SPF: the domain says nothing of the client"),
          rule("R_SPF_NA", 0, "SPF: the domain has no record"),
          rule("R_SPF_DNSFAIL", 0, "SPF: the record could not be looked up"),
          rule("R_SPF_PERMFAIL", 0.5, "SPF: the domain's record is broken"),
          rule("EARLY_TALKER", 2.5, "The client spoke before it was greeted"),
          rule(
              "UNAUTH_PIPELINING",
              1,
              "The client did not wait for a reply that it has to wait for"),
          // Told for its owner's recipients alone (Envelope.Note), and without a score: what it
          // overrides weighs nothing then.
          rule("SAFELISTED", 0, "A recipient's safelist has the sender"),
          rule(
              "SAFELIST_UNTRUSTED",
              0,
              "A recipient's safelist has the sender's address, and nothing proves that it is the"
                  + " sender's"));

  private static final Map<String, Rule> BY_NAME = new HashMap<>();

  static {
    ALL.forEach(rule -> BY_NAME.put(rule.name(), rule));
  }

  private static Rule rule(String name, double score, String description) {
    return new Rule(name, score, DIALOGUE, description, mail -> noted(mail, name));
  }

  private static Optional<String> noted(MailView mail, String name) {
    return mail.sample().dialogue().stream()
        .filter(note -> note.name().equals(name))
        .findFirst()
        .flatMap(note -> Rule.seen(note.detail()));
  }

  @Override
  public String name() {
    return "dialogue";
  }

  @Override
  public List<Rule> rules() {
    return ALL;
  }

  @Override
  public StageResult run(MailView mail) {
    List<Noted> notes = mail.sample().dialogue();
    if (notes.isEmpty()) {
      return new StageResult.Findings(List.of());
    }
    Map<String, Finding> findings = new java.util.LinkedHashMap<>();
    for (Noted note : notes.subList(0, Math.min(notes.size(), MAX))) {
      Rule rule = BY_NAME.get(note.name());
      // A check whose note nobody weighs is seen all the same.
      findings.putIfAbsent(
          note.name(),
          new Finding(
              note.name(), rule == null ? 0 : rule.score(), Rule.seen(note.detail()).orElse("")));
    }
    return new StageResult.Findings(new ArrayList<>(findings.values()));
  }
}
