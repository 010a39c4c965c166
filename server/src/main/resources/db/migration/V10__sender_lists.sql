-- ---- tenant ----

-- Whom a customer, or one user, always or never wants mail from.
create table sender_entry (
  customer_id  uuid not null references customer (id),
  -- null: the customer's, for all its users
  mailbox_id   uuid references mailbox (id),
  -- an address, a domain, .domain for all below it too, or a network; in the one form for comparison
  entry        text not null,
  kind         text not null check (kind in ('safe', 'block')),
  added_at     timestamptz not null default now(),
  unique nulls not distinct (customer_id, mailbox_id, entry)
);

-- What a customer, or one user, chose of the checks at the edge. No row: what the provider set.
create table check_choice (
  customer_id  uuid not null references customer (id),
  mailbox_id   uuid references mailbox (id),
  -- name of a check, or of one of its settings
  name         text not null,
  value        text not null,
  unique nulls not distinct (customer_id, mailbox_id, name)
);

create trigger settings_insert after insert on sender_entry
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on sender_entry
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on sender_entry
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on check_choice
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on check_choice
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on check_choice
  referencing old table as changed_rows for each statement execute function settings_changed();
