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
    // Counters of accounts, of accounts from one source, and of names that were nobody's.
    handle.execute(
        "delete from login_failure where split_part(key, ':', 1) in ('account', 'both')"
            + " and split_part(key, ':', 2) = any(?)",
        (Object) mailboxes);
    handle.execute(
        "delete from login_failure where key = any(?)",
        (Object) leaving.addresses().stream().map("name:"::concat).toArray(String[]::new));
    handle.execute(
        "delete from login_failure where split_part(key, ':', 1) = 'name'"
            + " and split_part(key, '@', -1) = any(?)",
        (Object) leaving.domains().toArray(String[]::new));
    handle.execute("delete from send_count where subject = any(?::uuid[])", (Object) mailboxes);
    if (leaving.mailbox().isEmpty()) {
      handle.execute("delete from send_count where subject = ?", leaving.customer().value());
    }
  }
}
