package net.postern.submission;

import net.postern.tenant.PersonData;
import org.jdbi.v3.core.Handle;

/** Forgets from where an account logged in, which passwords were wrong, and how much it sent. */
public final class SubmissionErasure implements PersonData {
  @Override
  public void erase(Handle handle, Leaving leaving) {
    String[] mailboxes = leaving.mailboxIds();
    handle.execute(
        "delete from login_source where mailbox_id = any(?::uuid[])", (Object) mailboxes);
    // Counters of accounts, and of accounts from one source. Those of names that nobody has are of
    // a bounded number of names that stand for all.
    handle.execute(
        "delete from login_failure where split_part(key, ':', 1) in ('account', 'both')"
            + " and split_part(key, ':', 2) = any(?)",
        (Object) mailboxes);
    handle.execute("delete from send_count where subject = any(?::uuid[])", (Object) mailboxes);
    if (leaving.mailbox().isEmpty()) {
      handle.execute("delete from send_count where subject = ?", leaving.customer().value());
    }
  }
}
