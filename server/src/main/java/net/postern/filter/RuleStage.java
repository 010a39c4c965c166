package net.postern.filter;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A stage that is a list of independent tests, run in order. */
public record RuleStage(String name, List<Rule> rules) implements Stage {

  public RuleStage {
    rules = List.copyOf(rules);
  }

  @Override
  public StageResult run(MailView mail) {
    List<Finding> findings = new ArrayList<>(4);
    for (Rule rule : rules) {
      Optional<String> seen = rule.check().look(mail);
      if (seen.isPresent()) {
        findings.add(new Finding(rule.name(), rule.score(), seen.get()));
      }
    }
    return new StageResult.Findings(findings);
  }
}
