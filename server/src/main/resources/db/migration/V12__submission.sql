-- What nodes tell each other of logins and of mail that is sent.

-- ---- submission ----

-- Passwords that were wrong, by account and by source.
create table login_failure (
  key         text primary key,
  failures    integer not null,
  last_at     timestamptz not null,
  -- by the database's clock, for nodes that ask what is new
  changed_at  timestamptz not null default clock_timestamp()
);
create index login_failure_changed on login_failure (changed_at);

-- From where an account's right password came.
create table login_source (
  mailbox_id  uuid not null,
  source      text not null,
  last_at     timestamptz not null,
  changed_at  timestamptz not null default clock_timestamp(),
  primary key (mailbox_id, source)
);
create index login_source_changed on login_source (changed_at);

-- Messages and recipients that an account or a customer sent in five minutes.
create table send_count (
  subject     uuid not null,
  slot        timestamptz not null,
  messages    integer not null,
  recipients  integer not null,
  primary key (subject, slot)
);
create index send_count_old on send_count (slot);
