package net.postern.callout;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.Optional;
import net.postern.db.Database;

/** What is known of a domain's servers, for people. */
public final class CalloutReport {
  private final Database database;

  public CalloutReport(Database database) {
    this.database = database;
  }

  /**
   * The report of one domain.
   *
   * @param known addresses that a server said exist
   * @param unknown addresses that it said do not
   * @param takesAll whether it takes an address that cannot exist; empty: that is not known yet
   * @param trouble why it could not say the last time; empty: it could
   */
  public record Domain(
      long known,
      long unknown,
      Optional<Boolean> takesAll,
      String trouble,
      Optional<Instant> troubleSince) {}

  public Domain of(String domain) {
    return database
        .row(
            "select (select count(*) from callout_answer where domain = n.name and known) known,"
                + " (select count(*) from callout_answer where domain = n.name and not known)"
                + " unknown, d.accepts_all, coalesce(d.trouble, '') trouble, d.trouble_since"
                + " from (select ?::text as name) n"
                + " left join callout_domain d on d.domain = n.name",
            row ->
                new Domain(
                    row.getLong("known"),
                    row.getLong("unknown"),
                    Optional.ofNullable((Boolean) row.getObject("accepts_all")),
                    row.getString("trouble"),
                    Optional.ofNullable(row.getTimestamp("trouble_since"))
                        .map(Timestamp::toInstant)),
            domain)
        .orElseThrow();
  }
}
