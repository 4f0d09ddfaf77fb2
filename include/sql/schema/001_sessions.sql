-- The exchange's calendar, so that SQL can map days to sessions and count sessions back.
-- Grain: one row per XNYS session. Reads: -. Writes: sessions. Binds: -. Money: -. Rerun: applied once.
create table sessions (
    session_date date primary key,
    session_number integer not null unique deferrable initially deferred,
    opens_at timestamptz not null,
    closes_at timestamptz not null
);
