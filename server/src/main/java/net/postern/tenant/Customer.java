package net.postern.tenant;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import net.postern.id.CustomerId;

/**
 * An organisation with domains.
 *
 * @param flag from this score on a message is flagged
 * @param hold from this score on a message goes to quarantine
 * @param refuse from this score on a message is refused
 * @param subjectTag put before the subject of flagged mail; empty for none
 */
public record Customer(
    CustomerId id, String name, double flag, double hold, double refuse, String subjectTag) {

  static final String SELECT =
      "select id, name, flag_score, hold_score, refuse_score, subject_tag from customer";

  static Customer of(ResultSet row) throws SQLException {
    return new Customer(
        new CustomerId(row.getObject("id", UUID.class)),
        row.getString("name"),
        row.getDouble("flag_score"),
        row.getDouble("hold_score"),
        row.getDouble("refuse_score"),
        row.getString("subject_tag"));
  }
}
