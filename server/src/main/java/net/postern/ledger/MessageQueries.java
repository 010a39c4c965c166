package net.postern.ledger;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import net.postern.db.Database;
import net.postern.events.Reference;
import net.postern.id.CustomerId;
import net.postern.id.MessageId;
import net.postern.vault.Place;

/** Questions of people about messages, and the changes that people make to deliveries. */
public final class MessageQueries {
  private static final String SELECT =
      """
      select m.customer_id, m.id, d.number, m.accepted_at, m.segment, m.frame_offset,
        m.frame_length, m.dropped_at, m.bytes, m.reverse_path, m.client, m.helo, m.verdict, m.score, m.findings,
        d.recipient, d.state, d.due_at, d.attempts, d.rule, d.reply
      from message m join delivery d on d.customer_id = m.customer_id and d.message_id = m.id
      """;

  private static final String RELEASE =
      "state = 0, due_at = now(), give_up_at = now() + (give_up_at - (select accepted_at from"
          + " message m where m.customer_id = delivery.customer_id and m.id ="
          + " delivery.message_id))";

  private final Database database;

  public MessageQueries(Database database) {
    this.database = database;
  }

  /**
   * Deliveries in quarantine, newest first.
   *
   * @param customer empty for those of all customers: the provider's view
   */
  public List<MessageView> held(Optional<CustomerId> customer, int max) {
    Optional<UUID> id = customer.map(CustomerId::value);
    return database.rows(
        SELECT
            + "where d.state = 2 and (?::uuid is null or d.customer_id = ?::uuid)"
            + " order by m.accepted_at desc, d.number limit ?",
        row -> view(row, List.of()),
        id.orElse(null),
        id.orElse(null),
        max);
  }

  /** Every delivery of a message, with its steps. */
  public List<MessageView> find(MessageId message) {
    List<MessageView.Step> steps =
        database.rows(
            "select happened_at, event, recipient, detail from trace where message_id = ?"
                + " order by id",
            MessageQueries::step,
            message.value());
    return database.rows(
        SELECT + "where m.id = ? order by d.customer_id, d.number",
        row -> view(row, steps),
        message.value());
  }

  /**
   * Deliveries whose sender or recipient contains a text, newest first.
   *
   * @param text as people type it; {@code %} and {@code _} stand for themselves
   */
  public List<MessageView> search(String text, int max) {
    String pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%";
    return database.rows(
        SELECT
            + "where d.recipient ilike ? or m.reverse_path ilike ?"
            + " order by m.accepted_at desc, d.number limit ?",
        row -> view(row, List.of()),
        pattern,
        pattern,
        max);
  }

  /** An accepted message, whoever it is for. */
  public record Accepted(
      MessageId id, Instant acceptedAt, Place place, Optional<String> reversePath) {}

  /**
   * Accepted messages that the vault keeps, newest first, each once however many customers it is
   * for.
   *
   * @param max most that are listed
   */
  public List<Accepted> accepted(int max) {
    return database.rows(
        "select distinct on (id) id, accepted_at, segment, frame_offset, frame_length, reverse_path"
            + " from message where dropped_at is null order by id desc, customer_id limit ?",
        row ->
            new Accepted(
                new MessageId(row.getObject("id", UUID.class)),
                row.getTimestamp("accepted_at").toInstant(),
                place(row),
                Optional.ofNullable(row.getString("reverse_path"))),
        max);
  }

  /** Refusals that concern an address, newest first. */
  public List<MessageView.Step> refusals(String text, int max) {
    return database.rows(
        "select happened_at, event, recipient, detail from trace"
            + " where message_id is null and strpos(recipient || ' ' || detail, ?) > 0"
            + " order by id desc limit ?",
        MessageQueries::step,
        text,
        max);
  }

  /** The refusal, one for each recipient, that was told with this reference. */
  public List<MessageView.Step> refused(Reference reference) {
    return database.rows(
        "select happened_at, event, recipient, detail from trace where reference = ? order by id",
        MessageQueries::step,
        reference.toString());
  }

  /** How many refusals about that time were too many to be kept. */
  public long refusedUnkept(Instant at) {
    return database
        .row(
            "select coalesce(sum(detail::bigint), 0) n from trace where event = '"
                + RefusalTrace.FLOOD
                + "' and happened_at > ? and happened_at <= ?",
            row -> row.getLong("n"),
            // A row stands for the minute that it begins.
            Timestamp.from(at.minus(RefusalTrace.WINDOW)),
            Timestamp.from(at.plus(RefusalTrace.WINDOW)))
        .orElse(0L);
  }

  /**
   * Lets held deliveries out: they are due at once, and are tried for as long as if they had come
   * now, however long they were held.
   *
   * @param number one recipient, or empty for all of the message
   * @param by who did it, for the trace
   * @return what was released; empty when nothing of it was held
   */
  public List<MessageView> release(MessageId message, Optional<Integer> number, String by) {
    return change(message, number, RELEASE, "released", "by " + by);
  }

  /** Ends held deliveries: they are removed by the rule {@code deleted by ...}. */
  public List<MessageView> delete(MessageId message, Optional<Integer> number, String by) {
    String set = "state = 5, due_at = now(), rule = 'deleted from quarantine'";
    return change(message, number, set, "deleted", "by " + by);
  }

  private List<MessageView> change(
      MessageId message, Optional<Integer> number, String set, String event, String detail) {
    return database
        .jdbi()
        .inTransaction(
            handle -> {
              List<MessageView> held =
                  handle
                      .createQuery(
                          SELECT
                              + "where m.id = :id and d.state = 2"
                              + " and (:number::smallint is null or d.number = :number::smallint)"
                              + " for update of d")
                      .bind("id", message.value())
                      .bind("number", number.map(Object::toString).orElse(null))
                      .map((row, context) -> view(row, List.of()))
                      .list();
              for (MessageView each : held) {
                handle.execute(
                    "update delivery set "
                        + set
                        + " where customer_id = ? and message_id = ? and number = ?",
                    each.key().customer().value(),
                    each.key().message().value(),
                    each.key().number());
                handle.execute(
                    "insert into trace (happened_at, customer_id, message_id, event, recipient, detail)"
                        + " values (now(), ?, ?, ?, ?, ?)",
                    each.key().customer().value(),
                    each.key().message().value(),
                    event,
                    each.recipient(),
                    detail);
              }
              return held;
            });
  }

  private static MessageView.Step step(ResultSet row) throws SQLException {
    return new MessageView.Step(
        row.getTimestamp("happened_at").toInstant(),
        row.getString("event"),
        row.getString("recipient"),
        row.getString("detail"));
  }

  private static Place place(ResultSet row) throws SQLException {
    return new Place(
        row.getObject("segment", UUID.class),
        row.getLong("frame_offset"),
        row.getInt("frame_length"));
  }

  private static MessageView view(ResultSet row, List<MessageView.Step> steps) throws SQLException {
    String recipient = row.getString("recipient");
    return new MessageView(
        new DeliveryKey(
            new CustomerId(row.getObject("customer_id", UUID.class)),
            new MessageId(row.getObject("id", UUID.class)),
            row.getInt("number")),
        row.getTimestamp("accepted_at").toInstant(),
        place(row),
        Optional.ofNullable(row.getTimestamp("dropped_at")).map(Timestamp::toInstant),
        row.getLong("bytes"),
        Optional.ofNullable(row.getString("reverse_path")),
        row.getString("client"),
        row.getString("helo"),
        row.getString("verdict"),
        row.getDouble("score"),
        row.getString("findings"),
        recipient,
        DeliveryState.of(row.getInt("state")),
        row.getTimestamp("due_at").toInstant(),
        row.getInt("attempts"),
        row.getString("rule"),
        row.getString("reply"),
        steps.stream()
            .filter(step -> step.recipient().isEmpty() || step.recipient().equals(recipient))
            .toList());
  }
}
