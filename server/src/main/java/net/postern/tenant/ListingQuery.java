package net.postern.tenant;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import net.postern.address.EmailAddress;
import net.postern.db.Database;
import net.postern.id.CustomerId;
import net.postern.id.MailboxId;

/** Looks an address up in the database: one query. */
final class ListingQuery {
  private ListingQuery() {}

  /** The characters that may begin the detail of a subaddress (RFC 5233). */
  static final String SEPARATORS = "+-=_";

  private record Row(
      CustomerId customer,
      Optional<MailboxId> catchAll,
      String separators,
      boolean acceptUnknown,
      Validation validation,
      Optional<Entered> entered) {}

  private record Entered(
      String address, MailboxId mailbox, String kind, boolean callout, boolean refused) {}

  /** Asks the database. */
  static Listing load(Database database, EmailAddress address) {
    List<Row> rows =
        database.rows(
            "select d.customer_id, d.catch_all_mailbox, d.subaddress, d.callout_unknown, "
                + Validation.SQL
                + " validation, a.address, a.mailbox_id, a.kind, a.source,"
                + " coalesce(a.refused_from <= now(), false) refused"
                + " from domain d left join address a on a.address = any(?) and a.domain = d.name"
                + " where d.name = ?",
            ListingQuery::row,
            candidates(address).toArray(String[]::new),
            address.domain());
    if (rows.isEmpty()) {
      return new Listing.Known(new RecipientLookup.NotOurs());
    }
    Row domain = rows.getFirst();
    String base = base(address, domain.separators());
    Optional<Entered> entered = entered(rows, address.key()).or(() -> entered(rows, base));
    if (entered.isPresent()) {
      return of(domain, base, entered.get(), address);
    }
    return switch (domain.validation()) {
      case LISTED -> unknown(domain);
      case OPEN ->
          domain
              .catchAll()
              .map(mailbox -> found(address, domain, mailbox, ""))
              .orElseGet(() -> unknown(domain));
      case CALLOUT -> unlisted(domain, base, Optional.empty());
    };
  }

  private static Listing of(Row domain, String base, Entered entered, EmailAddress address) {
    if (entered.refused()) {
      return unknown(domain);
    }
    if (entered.kind().equals("group")) {
      return new Listing.OfGroup(domain.customer(), entered.address(), entered.mailbox());
    }
    // What a callout found is only as good as the last callout.
    return entered.callout() && domain.validation() == Validation.CALLOUT
        ? unlisted(domain, base, Optional.of(entered.mailbox()))
        : found(address, domain, entered.mailbox(), entered.address());
  }

  private static Listing unlisted(Row domain, String base, Optional<MailboxId> mailbox) {
    return new Listing.Unlisted(
        domain.customer(), base, mailbox, domain.catchAll(), domain.acceptUnknown());
  }

  private static Listing found(EmailAddress address, Row domain, MailboxId mailbox, String listed) {
    return new Listing.Known(
        new RecipientLookup.Found(new Recipient(address, domain.customer(), mailbox), listed));
  }

  private static Listing unknown(Row domain) {
    return new Listing.Known(new RecipientLookup.UnknownUser(domain.customer()));
  }

  private static Optional<Entered> entered(List<Row> rows, String address) {
    return rows.stream()
        .flatMap(row -> row.entered().stream())
        .filter(each -> each.address().equals(address))
        .findFirst();
  }

  /** The address in lower case without its detail; as it is when it has none. */
  static String base(EmailAddress address, String separators) {
    String local = address.localPart().toLowerCase(Locale.ROOT);
    int end = local.length();
    for (int i = 1; i < local.length(); i++) {
      if (separators.indexOf(local.charAt(i)) >= 0) {
        end = i;
        break;
      }
    }
    // A local part that begins with a separator has nobody before it.
    boolean leading = separators.indexOf(local.charAt(0)) >= 0;
    return (leading ? local : local.substring(0, end)) + "@" + address.domain();
  }

  // Which characters separate is known with the answer only: all that may are asked for.
  private static List<String> candidates(EmailAddress address) {
    List<String> candidates = new ArrayList<>();
    candidates.add(address.key());
    for (int i = 0; i < SEPARATORS.length(); i++) {
      int at = address.localPart().indexOf(SEPARATORS.charAt(i), 1);
      if (at > 0) {
        candidates.add(
            address.localPart().substring(0, at).toLowerCase(Locale.ROOT) + "@" + address.domain());
      }
    }
    return candidates;
  }

  private static Row row(ResultSet row) throws SQLException {
    String address = row.getString("address");
    return new Row(
        new CustomerId(row.getObject("customer_id", UUID.class)),
        Optional.ofNullable(row.getObject("catch_all_mailbox", UUID.class)).map(MailboxId::new),
        row.getString("subaddress"),
        row.getString("callout_unknown").equals("accept"),
        Validation.valueOf(row.getString("validation").toUpperCase(Locale.ROOT)),
        address == null
            ? Optional.empty()
            : Optional.of(
                new Entered(
                    address,
                    new MailboxId(row.getObject("mailbox_id", UUID.class)),
                    row.getString("kind"),
                    row.getString("source").equals("callout"),
                    row.getBoolean("refused"))));
  }
}
