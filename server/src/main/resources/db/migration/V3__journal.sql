-- ---- ledger ----

-- Outcomes that the stores' journal does not have yet. Filled by the trigger below, whoever changes
-- a delivery; emptied by Journal. An entry's id orders the entries of one delivery: the row of the
-- delivery is locked while it is drawn.
create table journal_outbox (
  id           bigint generated always as identity primary key,
  customer_id  uuid not null,
  message_id   uuid not null,
  number       smallint not null,
  state        smallint not null,
  -- when the state began
  since        timestamptz not null,
  give_up_at   timestamptz not null,
  attempts     smallint not null,
  rule         text not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- Ends, and releases from quarantine. Once for each statement, however many rows it changes: the
-- hot path changes hundreds at a time.
create function journal_outcomes() returns trigger language plpgsql as $$
begin
  insert into journal_outbox
    (customer_id, message_id, number, state, since, give_up_at, attempts, rule)
  select customer_id, message_id, number, state, due_at, give_up_at, attempts, rule
  from after_rows where state in (3, 4, 5);
  if exists (select from before_rows where state = 2) then
    insert into journal_outbox
      (customer_id, message_id, number, state, since, give_up_at, attempts, rule)
    select a.customer_id, a.message_id, a.number, a.state, a.due_at, a.give_up_at, a.attempts,
      a.rule
    from after_rows a join before_rows b using (customer_id, message_id, number)
    where b.state = 2 and a.state in (0, 1);
  end if;
  if exists (select from after_rows where state = 2) then
    insert into journal_outbox
      (customer_id, message_id, number, state, since, give_up_at, attempts, rule)
    select a.customer_id, a.message_id, a.number, a.state, a.due_at, a.give_up_at, a.attempts,
      a.rule
    from after_rows a join before_rows b using (customer_id, message_id, number)
    where a.state = 2 and b.state <> 2;
  end if;
  return null;
end $$;

create trigger journal_outcomes after update on delivery
  referencing old table as before_rows new table as after_rows
  for each statement execute function journal_outcomes();

-- While the ledger is made again from a store: the last that its journal says of each delivery.
create table journal_seen (
  message_id   uuid not null,
  customer_id  uuid not null,
  number       smallint not null,
  id           bigint not null,
  state        smallint not null,
  since        timestamptz not null,
  give_up_at   timestamptz not null,
  attempts     smallint not null,
  rule         text not null,
  primary key (message_id, customer_id, number)
);

-- At most one row: that this ledger was, or is being, made again from a store.
create table rebuild (
  one          boolean primary key default true check (one),
  store        text not null,
  started_at   timestamptz not null default now(),
  finished_at  timestamptz
);

-- ---- tenant ----

-- Which customers' settings the stores do not have as they are. changed counts the changes; it is
-- the generation of the parcel in the stores.
create table settings_state (
  customer_id  uuid primary key,
  changed      bigint not null,
  written      bigint not null default 0
);
insert into settings_state (customer_id, changed) select id, 1 from customer;

-- For tables with a column customer_id. A table of another package joins with three triggers like
-- those below.
create function settings_changed() returns trigger language plpgsql as $$
begin
  insert into settings_state (customer_id, changed)
  select distinct customer_id, 1 from changed_rows
  on conflict (customer_id) do update set changed = settings_state.changed + 1;
  return null;
end $$;

create function settings_changed_customer() returns trigger language plpgsql as $$
begin
  insert into settings_state (customer_id, changed)
  select distinct id, 1 from changed_rows
  on conflict (customer_id) do update set changed = settings_state.changed + 1;
  return null;
end $$;

create function settings_changed_route() returns trigger language plpgsql as $$
begin
  insert into settings_state (customer_id, changed)
  select distinct d.customer_id, 1 from changed_rows r join domain d on d.name = r.domain
  on conflict (customer_id) do update set changed = settings_state.changed + 1;
  return null;
end $$;

create trigger settings_insert after insert on customer
  referencing new table as changed_rows for each statement execute function settings_changed_customer();
create trigger settings_update after update on customer
  referencing new table as changed_rows for each statement execute function settings_changed_customer();
create trigger settings_delete after delete on customer
  referencing old table as changed_rows for each statement execute function settings_changed_customer();
create trigger settings_insert after insert on registered_server
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on registered_server
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on registered_server
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on domain
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on domain
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on domain
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on mailbox
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on mailbox
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on mailbox
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on address
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on address
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on address
  referencing old table as changed_rows for each statement execute function settings_changed();
create trigger settings_insert after insert on route
  referencing new table as changed_rows for each statement execute function settings_changed_route();
create trigger settings_update after update on route
  referencing new table as changed_rows for each statement execute function settings_changed_route();
create trigger settings_delete after delete on route
  referencing old table as changed_rows for each statement execute function settings_changed_route();
create trigger settings_insert after insert on legal_hold
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_update after update on legal_hold
  referencing new table as changed_rows for each statement execute function settings_changed();
create trigger settings_delete after delete on legal_hold
  referencing old table as changed_rows for each statement execute function settings_changed();
