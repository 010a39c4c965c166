-- ---- source ----

-- Recipients that were asked for lately, by who asked and by whose domain they are: for finding
-- those who try addresses out. Only of those with recipients that do not exist.
create table recipient_window (
  subject     text not null,
  slot        bigint not null,                -- number of the slot: time by its length
  known       integer not null,
  unknown     integer not null,
  members     integer[] not null,             -- hashes: different unknown recipients, or sources
  changed_at  timestamptz not null,
  primary key (subject, slot)
);
create index recipient_window_changed on recipient_window (changed_at);
