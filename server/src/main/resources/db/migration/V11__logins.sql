-- Who may send to others, and how much.

-- ---- tenant ----

-- A user's password; all addresses of the mailbox are names to log in with.
create table credential (
  mailbox_id        uuid primary key references mailbox (id),
  customer_id       uuid not null references customer (id),
  -- Argon2id with its parameters, as $argon2id$v=19$m=,t=,p=$salt$hash
  hash              text not null,
  -- RFC 5803; null: SCRAM is not possible with this password
  scram_iterations  integer,
  scram_salt        bytea,
  scram_stored_key  bytea,
  scram_server_key  bytea,
  changed_at        timestamptz not null default now()
);

-- What differs from the configured limits; null: as configured.
create table send_limit (
  customer_id      uuid not null references customer (id),
  -- null: of the customer as a whole
  mailbox_id       uuid references mailbox (id),
  messages_hour    integer,
  messages_day     integer,
  recipients_hour  integer,
  recipients_day   integer,
  unique nulls not distinct (customer_id, mailbox_id)
);

-- Certificates by which a customer's own servers are known, wherever they connect from.
create table server_certificate (
  -- SHA-256 of the certificate, lower case hexadecimal
  fingerprint  text primary key,
  customer_id  uuid not null references customer (id),
  subject      text not null
);

-- For whom is kept what a customer's own servers send to others; null: none is registered.
alter table customer add column server_mailbox uuid;

create trigger settings_insert after insert on credential
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on credential
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on credential
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on send_limit
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on send_limit
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on send_limit
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on server_certificate
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on server_certificate
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on server_certificate
  referencing old table as changed_rows for each statement execute function settings_changed();
