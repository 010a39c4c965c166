package net.postern.ldap;

import com.unboundid.asn1.ASN1OctetString;
import com.unboundid.ldap.sdk.Attribute;
import com.unboundid.ldap.sdk.DN;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPException;
import com.unboundid.ldap.sdk.LDAPSearchException;
import com.unboundid.ldap.sdk.ResultCode;
import com.unboundid.ldap.sdk.SearchRequest;
import com.unboundid.ldap.sdk.SearchResult;
import com.unboundid.ldap.sdk.SearchResultEntry;
import com.unboundid.ldap.sdk.SearchResultListener;
import com.unboundid.ldap.sdk.SearchResultReference;
import com.unboundid.ldap.sdk.SearchScope;
import com.unboundid.ldap.sdk.controls.SimplePagedResultsControl;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.postern.address.EmailAddress;
import net.postern.tenant.DirectorySnapshot;
import net.postern.tenant.DirectorySource;
import org.jspecify.annotations.Nullable;

/**
 * Reads one directory: people, then groups, page by page (RFC 2696), then members of groups that
 * are neither. Referrals are not followed. Used by one thread.
 */
public final class LdapReader implements AutoCloseable {
  private static final int PAGE = 250;

  /** Entries of one kind; a directory with more is not applied. */
  private static final int MAX_ENTRIES = 200_000;

  /** What one directory may take in memory while it is read. */
  private static final long MAX_BYTES = 256L << 20;

  /** Members of groups that are looked up one by one: contacts, and people without the filter. */
  private static final int MAX_LOOKUPS = 2_000;

  /** Parts of one group's members, 1,500 or so each. */
  private static final int MAX_RANGES = 200;

  /** Bits of userAccountControl: ACCOUNTDISABLE. */
  private static final int DISABLED = 2;

  /** Accounts that nobody logs in to, and so are disabled: shared, room, equipment. */
  private static final Set<String> WITHOUT_LOGIN = Set.of("4", "16", "32");

  private static final String RANGE = "range=";
  private static final List<String> MEMBERS = List.of("member", "uniqueMember");
  private static final String PLAIN_MEMBERS = "rfc822MailMember";

  private final DirectorySource source;
  private final List<String> mail;
  private final ReadingLimit limit;
  private final LDAPConnection connection;
  private final List<String> notes = new ArrayList<>();

  /**
   * Connects.
   *
   * @param within for connecting and reading together
   * @throws LdapFailure when no server of the source can be used
   */
  public LdapReader(DirectorySource source, Duration within) throws LdapFailure {
    this(source, within, MAX_BYTES);
  }

  /**
   * @param bytes of all entries together
   */
  LdapReader(DirectorySource source, Duration within, long bytes) throws LdapFailure {
    this.source = source;
    this.limit = new ReadingLimit(within, bytes);
    this.mail =
        source.mailAttributes().isEmpty()
            ? switch (source.shape()) {
              case OPENLDAP -> List.of("mail", "mailAlternateAddress", "mailLocalAddress");
              case AD -> List.of("mail", "proxyAddresses");
            }
            : source.mailAttributes();
    this.connection = connect();
  }

  private LDAPConnection connect() throws LdapFailure {
    try {
      return LdapConnector.connect(source, limit);
    } catch (LdapFailure e) {
      limit.close();
      throw e;
    }
  }

  /** What was passed over, for people. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /**
   * Reads everything.
   *
   * @throws LdapFailure when any of it could not be read
   */
  public DirectorySnapshot read() throws LdapFailure {
    try {
      Map<String, EmailAddress> byDn = new HashMap<>();
      Set<String> disabled = new LinkedHashSet<>();
      List<DirectorySnapshot.Person> people = people(byDn, disabled);
      List<SearchResultEntry> groupEntries = search(groupFilter());
      for (SearchResultEntry each : groupEntries) {
        addresses(each).stream()
            .findFirst()
            .ifPresent(address -> byDn.put(key(each.getDN()), address));
      }
      List<DirectorySnapshot.Group> groups = new ArrayList<>();
      int[] lookups = {0};
      for (SearchResultEntry each : groupEntries) {
        List<EmailAddress> addresses = addresses(each);
        if (!addresses.isEmpty()) {
          groups.add(
              new DirectorySnapshot.Group(
                  id(each), addresses, members(each, byDn, disabled, lookups)));
        }
      }
      if (!disabled.isEmpty()) {
        notes.add(disabled.size() + " disabled accounts were passed over");
      }
      return new DirectorySnapshot(people, groups);
    } catch (LDAPException e) {
      throw new LdapFailure(limit.isOver() ? limit.said() : LdapConnector.said(e), e);
    }
  }

  private List<DirectorySnapshot.Person> people(
      Map<String, EmailAddress> byDn, Set<String> disabled) throws LDAPException, LdapFailure {
    List<DirectorySnapshot.Person> people = new ArrayList<>();
    for (SearchResultEntry each : search(userFilter())) {
      if (isDisabled(each)) {
        disabled.add(key(each.getDN()));
        continue;
      }
      List<EmailAddress> addresses = addresses(each);
      if (!addresses.isEmpty()) {
        byDn.put(key(each.getDN()), addresses.getFirst());
        people.add(new DirectorySnapshot.Person(id(each), addresses));
      }
    }
    return people;
  }

  private String userFilter() {
    if (!source.userFilter().isEmpty()) {
      return source.userFilter();
    }
    return switch (source.shape()) {
      case OPENLDAP -> "(&(objectClass=inetOrgPerson)(mail=*))";
      case AD -> "(&(objectClass=user)(!(objectClass=computer))(|(mail=*)(proxyAddresses=*)))";
    };
  }

  private String groupFilter() {
    if (!source.groupFilter().isEmpty()) {
      return source.groupFilter();
    }
    return switch (source.shape()) {
      case OPENLDAP ->
          "(&(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=nisMailAlias))(mail=*))";
      case AD -> "(&(objectClass=group)(|(mail=*)(proxyAddresses=*)))";
    };
  }

  private List<SearchResultEntry> search(String filter) throws LDAPException, LdapFailure {
    Collector entries = new Collector(filter);
    @Nullable ASN1OctetString cookie = null;
    do {
      SearchRequest request =
          new SearchRequest(
              entries, source.baseDn(), SearchScope.SUB, Filter.create(filter), attributes());
      request.setControls(new SimplePagedResultsControl(PAGE, cookie, true));
      SearchResult result = connection.search(request);
      requireWhole();
      SimplePagedResultsControl next = SimplePagedResultsControl.get(result);
      cookie = next != null && next.moreResultsToReturn() ? next.getCookie() : null;
    } while (cookie != null);
    return entries.kept;
  }

  /** Counts entries as they come: a server need not heed the size of a page. */
  private final class Collector implements SearchResultListener {
    private static final long serialVersionUID = 1L;

    private final transient List<SearchResultEntry> kept = new ArrayList<>();
    private final String filter;

    Collector(String filter) {
      this.filter = filter;
    }

    @Override
    public void searchEntryReturned(SearchResultEntry entry) {
      if (kept.size() == MAX_ENTRIES) {
        limit.breakOff(
            "more than %d entries match %s; narrow the base DN or the filter"
                .formatted(MAX_ENTRIES, filter));
      }
      if (limit.took(entry)) {
        kept.add(entry);
      }
    }

    @Override
    public void searchReferenceReturned(SearchResultReference reference) {
      // Referrals are not followed.
    }
  }

  private @Nullable SearchResultEntry entry(String dn, String... attributes)
      throws LDAPException, LdapFailure {
    SearchResultEntry entry = connection.getEntry(dn, attributes);
    if (entry != null) {
      boolean _ = limit.took(entry);
    }
    requireWhole();
    return entry;
  }

  private void requireWhole() throws LdapFailure {
    if (limit.isOver()) {
      throw new LdapFailure(limit.said());
    }
  }

  private String[] attributes() {
    Set<String> names = new LinkedHashSet<>(mail);
    names.addAll(MEMBERS);
    names.addAll(
        List.of(
            PLAIN_MEMBERS,
            "entryUUID",
            "objectGUID",
            "userAccountControl",
            "msExchRecipientTypeDetails"));
    return names.toArray(String[]::new);
  }

  // RFC 4530, and what Active Directory has instead; both stay when the entry is renamed.
  private String id(SearchResultEntry entry) {
    String uuid = entry.getAttributeValue("entryUUID");
    if (uuid != null) {
      return uuid.toLowerCase(Locale.ROOT);
    }
    byte[] guid = entry.getAttributeValueBytes("objectGUID");
    return guid == null ? "dn:" + key(entry.getDN()) : HexFormat.of().formatHex(guid);
  }

  private static String key(String dn) {
    try {
      return DN.normalize(dn);
    } catch (LDAPException e) {
      return dn.toLowerCase(Locale.ROOT);
    }
  }

  private static boolean isDisabled(SearchResultEntry entry) {
    Integer control = entry.getAttributeValueAsInteger("userAccountControl");
    String type = entry.getAttributeValue("msExchRecipientTypeDetails");
    return control != null
        && (control & DISABLED) != 0
        && (type == null || !WITHOUT_LOGIN.contains(type));
  }

  /** The primary address first: marked by {@code SMTP:}, or else of the first attribute. */
  private List<EmailAddress> addresses(SearchResultEntry entry) {
    Set<EmailAddress> marked = new LinkedHashSet<>();
    Set<EmailAddress> others = new LinkedHashSet<>();
    for (String attribute : mail) {
      String[] values = entry.getAttributeValues(attribute);
      if (values == null) {
        continue;
      }
      for (String value : values) {
        int colon = value.indexOf(':');
        int at = value.indexOf('@');
        String scheme = colon > 0 && (at < 0 || colon < at) ? value.substring(0, colon) : "";
        if (!scheme.isEmpty() && !scheme.equalsIgnoreCase("smtp")) {
          continue; // x500, sip: other ways to name a person
        }
        String text = scheme.isEmpty() ? value.strip() : value.substring(colon + 1).strip();
        Optional<EmailAddress> address = EmailAddress.parse(text);
        if (address.isEmpty()) {
          notes.add("\"" + value + "\" of " + entry.getDN() + " is no mail address");
        } else if (scheme.equals("SMTP")) {
          marked.add(address.get());
        } else {
          others.add(address.get());
        }
      }
    }
    marked.addAll(others);
    return List.copyOf(marked);
  }

  private List<EmailAddress> members(
      SearchResultEntry group, Map<String, EmailAddress> byDn, Set<String> disabled, int[] lookups)
      throws LDAPException, LdapFailure {
    Set<EmailAddress> members = new LinkedHashSet<>();
    for (String dn : memberDns(group)) {
      String key = key(dn);
      EmailAddress known = byDn.get(key);
      if (known != null) {
        members.add(known);
      } else if (!disabled.contains(key)) {
        if (++lookups[0] > MAX_LOOKUPS) {
          throw new LdapFailure(
              "more than %d members of groups are outside of what the filters find; widen the filters"
                  .formatted(MAX_LOOKUPS));
        }
        Optional<EmailAddress> found = lookup(dn);
        if (found.isPresent()) {
          byDn.put(key, found.get());
          members.add(found.get());
        } else {
          notes.add(dn + " in " + group.getDN() + " has no mail address");
          disabled.add(key);
        }
      }
    }
    String[] plain = group.getAttributeValues(PLAIN_MEMBERS);
    if (plain != null) {
      for (String each : plain) {
        EmailAddress.parse(each.strip()).ifPresent(members::add);
      }
    }
    return List.copyOf(members);
  }

  private Optional<EmailAddress> lookup(String dn) throws LDAPException, LdapFailure {
    try {
      SearchResultEntry entry = entry(dn, attributes());
      return entry == null || isDisabled(entry)
          ? Optional.empty()
          : addresses(entry).stream().findFirst();
    } catch (LDAPSearchException e) {
      if (e.getResultCode().equals(ResultCode.NO_SUCH_OBJECT)
          || e.getResultCode().equals(ResultCode.REFERRAL)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private List<String> memberDns(SearchResultEntry group) throws LDAPException, LdapFailure {
    List<String> all = new ArrayList<>();
    for (String name : MEMBERS) {
      Optional<Attribute> part = part(group, name);
      int parts = 0;
      while (part.isPresent()) {
        all.addAll(List.of(part.get().getValues()));
        Optional<Integer> last = rangeEnd(part.get());
        if (last.isEmpty()) {
          break;
        }
        if (++parts > MAX_RANGES) {
          throw new LdapFailure("the members of " + group.getDN() + " do not end");
        }
        // Active Directory gives the members of large groups in parts: member;range=0-1499.
        String next = name + ";" + RANGE + (last.get() + 1) + "-*";
        SearchResultEntry more = entry(group.getDN(), next);
        part = more == null ? Optional.empty() : part(more, name);
      }
    }
    return all;
  }

  private static Optional<Attribute> part(SearchResultEntry entry, String name) {
    // An attribute without values is there beside the one with a range.
    return entry.getAttributes().stream()
        .filter(each -> each.getBaseName().equalsIgnoreCase(name) && each.hasValue())
        .findFirst();
  }

  /** Where a part ends; empty when it is the last, or all. */
  static Optional<Integer> rangeEnd(Attribute attribute) {
    for (String option : attribute.getOptions()) {
      String lower = option.toLowerCase(Locale.ROOT);
      if (lower.startsWith(RANGE)) {
        String end = lower.substring(lower.indexOf('-') + 1);
        return end.equals("*") ? Optional.empty() : Optional.of(Integer.valueOf(end));
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    limit.close();
    connection.close();
  }
}
