-- What a refused sender can quote; several recipients of one message share it.
alter table trace add column reference text;
create index trace_by_reference on trace (reference) where reference is not null;
