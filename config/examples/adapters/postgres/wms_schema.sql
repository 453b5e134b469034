-- The staging schema between a WMS and the hub, for PostgreSQL 13 and later: the WMS writes wms_out and reads wms_in, the hub the other way
-- round. Run it once, as the owner of the database: psql -v ON_ERROR_STOP=1 -f wms_schema.sql. docs/integration/adapters/postgres.md.
--
-- A message is a row with a JSON document. What makes reading it exact:
--   xid      the transaction that wrote the row last. The hub reads in the order (xid, id), and only below the oldest transaction that still
--            runs: ids are given out before transactions commit, so the order of ids alone would lose the late ones.
--   version  counts the edits of a row. An edit gets the xid of its transaction, so it is read again.
--   message_id is the WMS's own name of the message. It is not unique here: a WMS that sends twice is tolerated, the hub drops the second.
begin;

create schema wms_out;
create schema wms_in;

create sequence wms_out.message_number;  -- one for all tables: their rows have one order

-- Moves a changed row to the end of what is to be read.
create function wms_out.row_changed() returns trigger language plpgsql as $$
begin
  if new.document is distinct from old.document or new.message_id is distinct from old.message_id
     or new.subject is distinct from old.subject then
    new.xid := pg_current_xact_id();
    new.version := old.version + 1;
    new.consumed_at := null;
  end if;
  return new;
end $$;

-- Wakes the hub. Only a wake-up: a NOTIFY that nobody hears loses nothing.
create function wms_out.wake() returns trigger language plpgsql as $$
begin
  perform pg_notify('wms_out', '');
  return null;
end $$;

do $$
declare name text;
begin
  foreach name in array array[
    'moves',      -- every change of stock, with both ends
    'shipments',  -- what left for an order line (945)
    'receipts',   -- what came for an expected delivery (944)
    'counts',     -- what was counted in a bin, with the number of the last move before it
    'answers'     -- whether an order or a change of one was accepted or refused
  ] loop
    execute format($sql$
      create table wms_out.%1$I (
        id          bigint primary key default nextval('wms_out.message_number'),
        xid         xid8 not null default pg_current_xact_id(),
        message_id  text not null check (message_id <> ''),
        version     integer not null default 1,
        subject     text not null default '',
        document    jsonb not null,
        created_at  timestamptz not null default now(),
        consumed_at timestamptz);
      create index on wms_out.%1$I (xid, id);
      create index on wms_out.%1$I (xid, id) where consumed_at is null;
      create trigger row_changed before update on wms_out.%1$I
        for each row execute function wms_out.row_changed();
      create trigger wake after insert or update of document on wms_out.%1$I
        for each statement execute function wms_out.wake();
    $sql$, name);
  end loop;
end $$;

-- What the WMS holds now, for reconciliation: kept by the WMS itself, or replaced by views of its own tables. Not messages.
create table wms_out.levels (
  item     text not null,
  lot      text not null default '',
  location text not null,
  quantity numeric not null,
  unit     text not null,
  primary key (item, lot, location));
create table wms_out.locations (
  code   text primary key,
  parent text references wms_out.locations,
  state  text not null default 'active' check (state in ('active', 'blocked', 'archived')));

-- What the hub asks of the WMS. message_id is the hub's key of the request: it comes once, however often it is sent. Rows stay: the key is
-- what keeps a repetition out.
create function wms_in.wake() returns trigger language plpgsql as $$
begin
  perform pg_notify('wms_in', tg_table_name);
  return null;
end $$;

do $$
declare name text;
begin
  foreach name in array array[
    'orders',     -- shipping orders and their revisions (940)
    'changes',    -- changes and cancellations, each to be answered in wms_out.answers
    'receipts',   -- expected deliveries (856)
    'holds',      -- lots put on hold or released
    'items',      -- master data
    'locations'
  ] loop
    execute format($sql$
      create table wms_in.%1$I (
        id           bigserial primary key,
        message_id   text not null unique,
        subject      text not null default '',
        document     jsonb not null,
        created_at   timestamptz not null default now(),
        processed_at timestamptz);
      create index on wms_in.%1$I (id) where processed_at is null;
      create trigger wake after insert on wms_in.%1$I
        for each statement execute function wms_in.wake();
    $sql$, name);
  end loop;
end $$;

-- The hub's login gets this role: grant mainstay_wms to <login>. With pg_read_all_stats too it can say who holds back its reading.
do $$
begin
  if not exists (select from pg_roles where rolname = 'mainstay_wms') then
    create role mainstay_wms nologin;
  end if;
end $$;
grant usage on schema wms_out, wms_in to mainstay_wms;
grant select, update, delete on all tables in schema wms_out to mainstay_wms;
grant select, insert on all tables in schema wms_in to mainstay_wms;
grant usage on all sequences in schema wms_in to mainstay_wms;

commit;
