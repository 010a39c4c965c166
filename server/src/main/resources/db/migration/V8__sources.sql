-- ---- source ----

-- What sources have done, and how much of what a domain is sent is for nobody. The sums are
-- weighted: each half-life an act counts twice as much as one before, so that rows never have to
-- be decayed (class Standing).
create table standing (
  subject     text primary key,               -- address, network in CIDR form, or @domain
  good        double precision not null,
  bad         double precision not null,
  passed_at   bigint not null,                -- seconds: when it last waited for our greeting
  changed_at  timestamptz not null
);
create index standing_changed on standing (changed_at);

-- The internal block list. A row stays after its block has ended: it makes the next one longer.
create table source_block (
  source      text primary key,
  kind        text not null,
  why         text not null,
  offence     integer not null,               -- which time this is
  since       timestamptz not null,
  until       timestamptz not null,
  changed_at  timestamptz not null
);
create index source_block_changed on source_block (changed_at);
create index source_block_until on source_block (until);
