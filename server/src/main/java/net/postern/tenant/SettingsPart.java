package net.postern.tenant;

import java.util.List;
import java.util.function.Consumer;
import net.postern.id.CustomerId;
import org.jdbi.v3.core.Handle;

/**
 * A part of what is known of a customer besides mail, kept in the stores by {@link Settings}. A row
 * is a JSON object. What changes a part has to mark the customer in table {@code settings_state},
 * in the same transaction; see the triggers of the tables that are parts already.
 */
public interface SettingsPart {

  /** Names the part in the stores: never changed. */
  String name();

  /** Hands out the customer's rows, in a fixed order; the transaction sees one state of all. */
  void export(Handle handle, CustomerId customer, Consumer<String> row);

  /**
   * Enters rows that {@link #export} gave, perhaps of another version: keys that are not known any
   * more are passed over, what is missing takes its default. Rows that are there already stay.
   *
   * @return how many rows were new
   */
  int restore(Handle handle, CustomerId customer, List<String> rows);
}
