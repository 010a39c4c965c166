-- ---- tenant ----

-- Every key record, as the stores have it: sealed under the key above it. docs/vault.md, "Keys".
create table wrapped_key (
  id          uuid primary key,
  generation  bigint not null,
  -- the content of parcel keys/ID
  record      bytea not null,
  -- a store may lack this generation
  unsettled   boolean not null default true,
  changed_at  timestamptz not null default now()
);
create index wrapped_key_unsettled on wrapped_key (changed_at) where unsettled;
-- Tombstones, of keys that were erased.
create index wrapped_key_erased on wrapped_key (changed_at) where generation >= 4611686018427387904;

-- When the mailbox's key was erased.
alter table mailbox add column erased_at timestamptz;
