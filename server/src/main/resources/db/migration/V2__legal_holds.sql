-- ---- tenant ----

-- While one stands, nothing of the customer, or of the mailbox, is removed or made unreadable.
create table legal_hold (
  id           uuid primary key,
  customer_id  uuid not null references customer (id),
  -- null: everything of the customer
  mailbox_id   uuid references mailbox (id),
  reason       text not null,
  set_at       timestamptz not null,
  released_at  timestamptz
);
create index legal_hold_standing on legal_hold (customer_id) where released_at is null;
