-- ---- greylist ----

-- What came once and is to come again, and what did. Keys are digests: the table tells nobody who wrote to whom.
create table greylist (
  key          bytea primary key,
  customer_id  uuid not null,
  first_at     timestamptz not null,
  -- how often it passed
  passes       integer not null default 0,
  expires_at   timestamptz not null
);
create index greylist_expired on greylist (expires_at);

-- ---- dnsbl ----

-- How each node finds the lists that it asks.
create table dnsbl_zone (
  node        uuid not null,
  zone        text not null,
  up          boolean not null,
  why         text not null,
  -- when a zone that is down is looked at again
  until_at    timestamptz,
  asked       bigint not null,
  listed      bigint not null,
  errors      bigint not null,
  silent      bigint not null,
  seen_at     timestamptz not null,
  primary key (node, zone)
);
