package net.postern.filter;

import java.util.List;

/** One step of the pipeline. Implementations are shared by all threads. */
public interface Stage {
  /** Short lower-case name for logs and {@link Judgement.Unavailable}. */
  String name();

  /** Every test this stage can report, each declared beside its code. */
  List<Rule> rules();

  /** Looks at a message. Does not throw for any content; bounded in time and memory. */
  StageResult run(MailView mail);
}
