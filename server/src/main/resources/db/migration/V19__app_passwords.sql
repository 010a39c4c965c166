-- ---- tenant ----

-- Passwords of programs that log in for a user, beside the user's own; each can be taken back alone.
create table app_password (
  mailbox_id        uuid not null references mailbox (id),
  customer_id       uuid not null references customer (id),
  -- what the user calls it
  name              text not null,
  -- what the password begins with, so that one hash has to be tried and not all
  selector          text not null,
  -- as in credential; the salt for SCRAM is that of all passwords of the mailbox
  hash              text not null,
  scram_iterations  integer,
  scram_salt        bytea,
  scram_stored_key  bytea,
  scram_server_key  bytea,
  created_at        timestamptz not null default now(),
  primary key (mailbox_id, name),
  unique (mailbox_id, selector)
);
create index app_password_of_customer on app_password (customer_id);

create trigger settings_insert after insert on app_password
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on app_password
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on app_password
  referencing old table as changed_rows for each statement execute function settings_changed();

-- When an app password was last used, to some minutes. No setting: it is in no store.
create table app_password_use (
  mailbox_id  uuid not null,
  name        text not null,
  used_at     timestamptz not null,
  primary key (mailbox_id, name),
  foreign key (mailbox_id, name) references app_password (mailbox_id, name) on delete cascade
);

-- ---- submission ----

-- By the database's clock, for nodes that ask what is new.
alter table send_count add column changed_at timestamptz not null default clock_timestamp();
create index send_count_changed on send_count (changed_at);
