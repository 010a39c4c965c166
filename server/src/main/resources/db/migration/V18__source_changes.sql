-- ---- source ----

-- Which transaction changed a row last: a reader of changes asks for those of transactions that
-- its last snapshot did not show (class Follower). A time of change cannot tell them: a row may
-- become visible long after its time was written.
alter table standing add column changed_by xid8 not null default pg_current_xact_id();
alter table source_block add column changed_by xid8 not null default pg_current_xact_id();
alter table recipient_window add column changed_by xid8 not null default pg_current_xact_id();
create index standing_changed_by on standing (changed_by, subject);
create index recipient_window_changed_by on recipient_window (changed_by, subject, slot);

-- For removing first what says nothing of a source but that it waited for our greeting.
create index standing_passes on standing (changed_at) where good = 0 and bad = 0;

-- A network that floods may be on the list for something else too, and the other way round.
alter table source_block add column flood boolean not null
  generated always as (kind = 'FLOOD') stored;
alter table source_block drop constraint source_block_pkey;
alter table source_block add primary key (source, flood);
create index source_block_changed_by on source_block (changed_by, source, flood);
drop index source_block_changed;

-- Recipients that exist are counted once each as well; the column "known" has those beyond what
-- the set takes.
alter table recipient_window add column known_members integer[] not null default '{}';
