package net.postern.node;

import java.util.List;
import net.postern.callout.CalloutErasure;
import net.postern.greylist.Greylist;
import net.postern.submission.SubmissionErasure;
import net.postern.tenant.PersonData;

/**
 * What is erased with a mailbox or a customer, by package; {@code docs/erasure.md} has the tables.
 */
final class PersonParts {
  private PersonParts() {}

  static final List<PersonData> ALL =
      List.of(
          new CalloutErasure(),
          new SubmissionErasure(),
          // Of one mailbox nothing can be found: what is kept are digests, which run out.
          (handle, leaving) -> {
            if (leaving.mailbox().isEmpty()) {
              Greylist.erase(handle, leaving.customer());
            }
          });
}
