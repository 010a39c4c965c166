-- ---- tenant ----

-- Where a customer's users come from. One for a customer.
create table directory_source (
  customer_id    uuid primary key references customer (id),
  -- ldap: or ldaps:, in the order in which they are tried
  urls           text[] not null check (cardinality(urls) > 0),
  starttls       boolean not null,
  -- certificates in PEM that are trusted; empty: those that Java trusts
  trusted        text not null default '',
  bind_dn        text not null default '',
  -- sealed under the customer's key; null: none
  password       bytea,
  base_dn        text not null,
  shape          text not null check (shape in ('openldap', 'ad')),
  -- empty: that of the shape
  user_filter    text not null default '',
  group_filter   text not null default '',
  mail_attributes text[] not null default '{}',
  sync_seconds   integer not null,
  grace_seconds  integer not null,
  -- of the entries, in percent: with more gone at once nothing is changed
  max_gone       smallint not null
);

-- Which mailbox an entry of the customer's directory has, by the id that the entry keeps for life.
create table directory_entry (
  customer_id  uuid not null references customer (id),
  entry        text not null,
  mailbox_id   uuid not null references mailbox (id),
  -- false: it vanished, or was disabled
  present      boolean not null,
  primary key (customer_id, entry)
);

-- What the last sync came to. Not a setting: it is in no store.
create table directory_status (
  customer_id   uuid primary key references customer (id),
  next_at       timestamptz not null,
  -- of the last that was applied
  applied_at    timestamptz,
  users         integer not null default 0,
  groups        integer not null default 0,
  -- of the last attempt
  tried_at      timestamptz,
  -- empty: it was applied
  trouble       text not null default '',
  detail        text not null default ''
);

create trigger settings_insert after insert on directory_source
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on directory_source
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on directory_source
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on directory_entry
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on directory_entry
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on directory_entry
  referencing old table as changed_rows for each statement execute function settings_changed();
