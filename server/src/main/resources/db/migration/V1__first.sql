-- Tables by package. A table is read and written by its package only.

-- ---- tenant ----

create table customer (
  id            uuid primary key,
  name          text not null unique,
  created_at    timestamptz not null default now(),
  flag_score    double precision not null default 4,
  hold_score    double precision not null default 6,
  refuse_score  double precision not null default 15,
  subject_tag   text not null default '',
  check (flag_score <= hold_score and hold_score <= refuse_score)
);

-- Networks of a customer's own servers.
create table registered_server (
  customer_id  uuid not null references customer (id),
  network      cidr not null,
  primary key (customer_id, network)
);

create table domain (
  name               text primary key,
  customer_id        uuid not null references customer (id),
  -- Takes every address of the domain; null: only those that are listed.
  catch_all_mailbox  uuid,
  created_at         timestamptz not null default now()
);
create index domain_of_customer on domain (customer_id);

-- A mailbox is whose key opens a message; its key is in the stores.
create table mailbox (
  id           uuid primary key,
  customer_id  uuid not null references customer (id),
  created_at   timestamptz not null default now()
);

create table address (
  -- local part and domain in lower case
  address      text primary key,
  customer_id  uuid not null references customer (id),
  mailbox_id   uuid not null references mailbox (id),
  domain       text not null references domain (name),
  created_at   timestamptz not null default now()
);
create index address_of_customer on address (customer_id, domain);

create table route (
  domain     text primary key references domain (name),
  kind       text not null check (kind in ('smtp', 'maildir')),
  -- smtp: host:port, in order; maildir: the directory
  targets    text[] not null check (cardinality(targets) > 0),
  tls        text not null default 'opportunistic' check (tls in ('off', 'opportunistic', 'verified'))
);

-- ---- ledger ----

-- One customer's view of an accepted message. docs/ledger.md explains every state.
create table message (
  customer_id   uuid not null,
  id            uuid not null,
  accepted_at   timestamptz not null,
  origin        smallint not null,
  segment       uuid not null,
  frame_offset  bigint not null,
  frame_length  integer not null,
  bytes         bigint not null,
  utf8          boolean not null,
  -- null: the null reverse-path
  reverse_path  text,
  client        text not null,
  helo          text not null,
  verdict       text not null,
  score         double precision not null,
  findings      text not null,
  -- promise 2 is checked against this, not against the rows of delivery
  recipients    integer not null,
  primary key (customer_id, id)
);
-- By id alone: for reconciling a segment, and for tracing.
create index message_by_id on message (id);

create table delivery (
  customer_id   uuid not null,
  message_id    uuid not null,
  number        smallint not null,
  mailbox_id    uuid not null,
  recipient     text not null,
  state         smallint not null,
  -- waiting: not before; in progress: end of the lease; otherwise when the state began
  due_at        timestamptz not null,
  give_up_at    timestamptz not null,
  attempts      smallint not null default 0,
  node          uuid,
  -- why it is held or removed
  rule          text not null default '',
  reply         text not null default '',
  mark          text not null default '',
  subject_tag   text not null default '',
  primary key (customer_id, message_id, number)
) with (fillfactor = 85);
create index delivery_due on delivery (due_at) where state in (0, 1);
create index delivery_held on delivery (customer_id, due_at) where state = 2;

-- What happened to a delivery besides its end: attempts that failed, holds, releases, refusals.
create table trace (
  id           bigint generated always as identity primary key,
  happened_at  timestamptz not null,
  customer_id  uuid,
  message_id   uuid,
  event        text not null,
  recipient    text not null default '',
  detail       text not null default ''
);
create index trace_by_message on trace (message_id, id) where message_id is not null;
create index trace_by_time on trace (happened_at);

-- Segments whose every frame is known to be in message. Others are walked at start.
create table segment (
  id           uuid primary key,
  recorded_at  timestamptz not null default now()
);
