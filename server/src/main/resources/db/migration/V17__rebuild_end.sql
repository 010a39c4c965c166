-- How the rebuild ended, for a run that is asked for again because the first could not say so:
-- killed after its last step, or its output lost. Until a node has used the database, asking
-- again says the same again.
alter table rebuild
  add column damaged integer,
  add column erased bigint,
  add column unreadable bigint,
  add column whole boolean,
  add column used_at timestamptz;
