-- Aliases, groups, and what is known of addresses that nobody entered.

-- ---- tenant ----

alter table address
  -- user: its own mailbox; alias: another name of a mailbox; group: its mail goes to its members, and
  -- mailbox_id is whose key opens the copies for members outside
  add column kind text not null default 'user' check (kind in ('user', 'alias', 'group')),
  -- who entered it: a person, the customer's directory, or an answer of the customer's server
  add column source text not null default 'admin' check (source in ('admin', 'ldap', 'callout')),
  -- from here on it is "no such user"; null: it is taken
  add column refused_from timestamptz;

-- Which of several addresses of a mailbox came later was not kept apart before.
update address a set kind = 'alias'
where exists (
  select from address b
  where b.mailbox_id = a.mailbox_id and (b.created_at, b.address) < (a.created_at, a.address));

create table group_member (
  group_address  text not null references address (address) on delete cascade,
  -- local part and domain in lower case; of a user, an alias, a group, or somebody outside
  member         text not null,
  customer_id    uuid not null references customer (id),
  primary key (group_address, member)
);
create index group_member_of_customer on group_member (customer_id);

alter table domain
  -- listed: only addresses that are in table address. open: every address. callout: the customer's
  -- server is asked. Null, as in settings of before: open with a catch-all mailbox, else listed
  add column validation text check (validation in ('listed', 'open', 'callout')),
  -- while the customer's server cannot say: wait (451) or accept
  add column callout_unknown text not null default 'wait' check (callout_unknown in ('wait', 'accept')),
  -- any of these characters begins the detail of a subaddress; empty: there are none
  add column subaddress text not null default '+';

create trigger settings_insert after insert on group_member
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on group_member
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on group_member
  referencing old table as changed_rows for each statement execute function settings_changed();

-- ---- callout ----

-- The last definite answer of a customer's server, shared by all nodes. A cache: it is in no store.
create table callout_answer (
  address      text primary key,
  domain       text not null references domain (name) on delete cascade,
  known        boolean not null,
  answered_at  timestamptz not null,
  reply        text not null
);
create index callout_answer_age on callout_answer (answered_at);
create index callout_answer_of_domain on callout_answer (domain);

-- What is known of the servers of a domain.
create table callout_domain (
  domain         text primary key references domain (name) on delete cascade,
  -- it takes an address that cannot exist, so its yes says nothing
  accepts_all    boolean,
  probed_at      timestamptz,
  -- why it could not be asked the last time; empty when it answered
  trouble        text not null default '',
  trouble_since  timestamptz
);
