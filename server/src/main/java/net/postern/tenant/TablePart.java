package net.postern.tenant;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import net.postern.id.CustomerId;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.result.ResultIterator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A table as part of the settings: a row is a JSON object with the table's columns as keys, as
 * PostgreSQL's {@code to_jsonb} writes it.
 *
 * @param table also the part's name in the stores
 * @param whose condition for a customer's rows, with {@code :customer}
 */
public record TablePart(String table, String whose) implements SettingsPart {
  private static final int FETCH = 1_000;
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  /** The parts of this package, in the order in which they can be entered again. */
  static final List<SettingsPart> OF_TENANTS =
      List.of(
          new TablePart("customer", "id = :customer"),
          new TablePart("registered_server", "customer_id = :customer"),
          new TablePart("mailbox", "customer_id = :customer"),
          new TablePart("domain", "customer_id = :customer"),
          new TablePart("address", "customer_id = :customer"),
          new TablePart("group_member", "customer_id = :customer"),
          new TablePart("directory_source", "customer_id = :customer"),
          new TablePart("directory_entry", "customer_id = :customer"),
          new TablePart(
              "route", "domain in (select name from domain where customer_id = :customer)"),
          new TablePart("legal_hold", "customer_id = :customer"),
          new TablePart("credential", "customer_id = :customer"),
          new TablePart("app_password", "customer_id = :customer"),
          new TablePart("send_limit", "customer_id = :customer"),
          new TablePart("server_certificate", "customer_id = :customer"),
          new TablePart("sender_entry", "customer_id = :customer"),
          new TablePart("check_choice", "customer_id = :customer"));

  @Override
  public String name() {
    return table;
  }

  @Override
  public void export(Handle handle, CustomerId customer, Consumer<String> row) {
    try (ResultIterator<String> rows =
        handle
            .createQuery(
                "select to_jsonb(t)::text from "
                    + table
                    + " t where "
                    + whose
                    + " order by to_jsonb(t)::text collate \"C\"")
            .bind("customer", customer.value())
            .setFetchSize(FETCH)
            .mapTo(String.class)
            .iterator()) {
      rows.forEachRemaining(row);
    }
  }

  @Override
  public int restore(Handle handle, CustomerId customer, List<String> rows) {
    if (rows.isEmpty()) {
      return 0;
    }
    Set<String> keys = new LinkedHashSet<>();
    for (String row : rows) {
      JsonNode node = MAPPER.readTree(row);
      keys.addAll(node.propertyNames());
    }
    List<String> columns =
        new ArrayList<>(
            handle
                .createQuery(
                    "select column_name from information_schema.columns"
                        + " where table_schema = current_schema() and table_name = :table"
                        + " order by ordinal_position")
                .bind("table", table)
                .mapTo(String.class)
                .list());
    // Only those that the rows have, so that a column that came later gets its default.
    columns.retainAll(keys);
    String list = columns.stream().map(each -> '"' + each + '"').collect(Collectors.joining(", "));
    return handle.execute(
        "insert into %s (%s) select %s from jsonb_populate_recordset(null::%s, ?::jsonb) on conflict do nothing"
            .formatted(table, list, list, table),
        "[" + String.join(",", rows) + "]");
  }
}
