package net.postern.callout;

import net.postern.tenant.PersonData;
import org.jdbi.v3.core.Handle;

/**
 * Forgets what customers' servers said of addresses. Those of a customer's domains go with the
 * domains; of a mailbox also those with a detail behind any separator, for an answer too many that
 * is asked for again costs nothing.
 */
public final class CalloutErasure implements PersonData {
  @Override
  public void erase(Handle handle, Leaving leaving) {
    for (String address : leaving.addresses()) {
      int at = address.lastIndexOf('@');
      handle.execute(
          "delete from callout_answer where domain = ? and (address = ? or"
              + " starts_with(address, ?) and substr(address, ?, 1) in ('+', '-', '=', '_'))",
          address.substring(at + 1),
          address,
          address.substring(0, at),
          address.codePointCount(0, at) + 1);
    }
    handle.execute(
        "delete from callout_answer where domain = any(?)",
        (Object) leaving.domains().toArray(String[]::new));
    handle.execute(
        "delete from callout_domain where domain = any(?)",
        (Object) leaving.domains().toArray(String[]::new));
  }
}
