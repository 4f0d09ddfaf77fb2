-- The weekly digests that were mailed, with the database's size then: growth is the difference.
-- Grain: one row per week. Reads: -. Writes: digests. Binds: -. Money: -. Rerun: applied once. Append only.
create table digests (
    through_date date primary key,
    database_bytes bigint not null,
    recorded_at timestamptz not null default clock_timestamp()
);
