-- What is known of segments besides whether every frame of them is in the ledger.

-- ---- ledger ----

-- Segments that hold mail by the ledger and are in no store, nor is their mail anywhere else: all
-- stores were listed and walked. Without these, compaction deletes nothing while mail is missing.
create table lost_segment (
  id        uuid primary key,
  noted_at  timestamptz not null default now()
);

-- Segments that a rebuild has read from its one store. The other stores may have more of them, so
-- they are not yet in table segment.
create table rebuilt_segment (
  id  uuid primary key
);

-- Nodes that run, and when each was last heard of, by the database's clock.
create table node (
  id       uuid primary key,
  seen_at  timestamptz not null
);
