-- How long a message is kept, and what became of the segments of the vault.

-- ---- ledger ----

-- Null: the vault keeps the message at its place. Otherwise: since when nothing keeps it any more.
alter table message add column dropped_at timestamptz;
-- What a segment is kept for. Messages come in segment by segment, so that inserts hit one page.
create index message_by_segment on message (segment) where dropped_at is null;

-- Who keeps a message besides its deliveries: a mailbox, the archive, a backup.
create table keeper (
  customer_id  uuid not null,
  message_id   uuid not null,
  kind         text not null,
  -- null: of no mailbox
  mailbox_id   uuid,
  -- null: for ever
  keep_until   timestamptz,
  unique nulls not distinct (customer_id, message_id, kind, mailbox_id)
);

-- bytes, live_bytes, dead_since and ends_at are as of the last look.
alter table segment
  add column bytes         bigint,
  add column live_bytes    bigint,
  -- when dead bytes were first seen in it
  add column dead_since    timestamptz,
  -- about when what is kept in it will be dead
  add column ends_at       timestamptz,
  add column next_look_at  timestamptz not null default '-infinity',
  -- nothing is read from it any more; a segment that is being made is dropped until it is whole
  add column dropped_at    timestamptz,
  add column replaced_by   uuid,
  -- from here on it is deleted from stores and can no longer be made whole
  add column deleting_at   timestamptz,
  -- gone from every store; the row stays, so that a copy that turns up again is known
  add column deleted_at    timestamptz;
create index segment_due on segment (next_look_at) where dropped_at is null;
create index segment_dropped on segment (dropped_at) where dropped_at is not null and deleted_at is null;
