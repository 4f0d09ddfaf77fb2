-- Creates the record of applied schema files, if this warehouse has none yet.
-- Grain: one row per applied file. Reads: -. Writes: schema_migrations. Binds: -. Money: -.
-- Rerun: changes nothing.
create table if not exists schema_migrations (
    name text primary key,
    content_sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
);
