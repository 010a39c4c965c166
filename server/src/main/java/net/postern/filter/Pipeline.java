package net.postern.filter;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.postern.filter.content.BodyTests;
import net.postern.filter.content.LinkTests;
import net.postern.filter.content.MarkupTests;
import net.postern.filter.content.PhraseTests;
import net.postern.filter.dialogue.DialogueStage;
import net.postern.filter.header.AddressTests;
import net.postern.filter.header.DateTests;
import net.postern.filter.header.FieldTests;
import net.postern.filter.scan.AttachmentTests;
import net.postern.filter.scan.SampleTests;
import net.postern.filter.scan.StructureTests;

/**
 * Judges messages: parses once, runs the stages in order, adds up. Immutable; shared by all
 * threads. The same sample gives the same judgement.
 */
public final class Pipeline {
  /** Score at which a message is as likely spam as not, until learned from labelled mail. */
  static final double MIDPOINT = 5.0;

  /** How fast the odds change: each point multiplies them by e to this. */
  static final double STEEPNESS = 0.8;

  private final List<Stage> stages;

  private Pipeline(List<Stage> stages) {
    this.stages = List.copyOf(stages);
    Set<String> names = new HashSet<>();
    for (Rule rule : rules()) {
      if (!names.add(rule.name())) {
        throw new IllegalArgumentException("two tests are named " + rule.name());
      }
    }
  }

  /** The shipped pipeline. This list is the order of work; nothing else adds a test. */
  public static Pipeline standard() {
    return of(
        List.of(
            new DialogueStage(),
            new RuleStage("samples", SampleTests.ALL),
            new RuleStage("attachments", AttachmentTests.ALL),
            new RuleStage("structure", StructureTests.ALL),
            new RuleStage("fields", FieldTests.ALL),
            new RuleStage("dates", DateTests.ALL),
            new RuleStage("addresses", AddressTests.ALL),
            new RuleStage("body", BodyTests.ALL),
            new RuleStage("markup", MarkupTests.ALL),
            new RuleStage("links", LinkTests.ALL),
            new RuleStage("phrases", PhraseTests.ALL)));
  }

  /**
   * A pipeline of the given stages.
   *
   * @throws IllegalArgumentException when two tests share a name
   */
  public static Pipeline of(List<Stage> stages) {
    return new Pipeline(stages);
  }

  /** All tests, in the order of the stages. */
  public List<Rule> rules() {
    return stages.stream().flatMap(stage -> stage.rules().stream()).toList();
  }

  /** Judges a message. Does not throw for any content; time and memory are bounded by its size. */
  public Judgement judge(Sample sample) {
    return judge(MailView.of(sample));
  }

  /** Judges a message that was parsed already. */
  public Judgement judge(MailView mail) {
    List<Finding> findings = new ArrayList<>();
    List<Judgement.Unavailable> unavailable = new ArrayList<>(0);
    for (Stage stage : stages) {
      switch (stage.run(mail)) {
        case StageResult.Findings found -> findings.addAll(found.findings());
        case StageResult.Skipped _ -> {}
        case StageResult.Unavailable away ->
            unavailable.add(new Judgement.Unavailable(stage.name(), away.why()));
      }
    }
    return Judgement.of(findings, unavailable);
  }

  /**
   * Probability of spam as a logistic function of the score: {@code 1 / (1 + e^(-0.8 (s - 5)))}.
   * 0.02 at 0, 0.5 at 5, 0.98 at 10. The two constants are set by hand for now.
   */
  static double probability(double score) {
    return 1 / (1 + Math.exp(-STEEPNESS * (score - MIDPOINT)));
  }
}
