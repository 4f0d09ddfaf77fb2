-- One look at a source: which files or query answers it gave, and when we recorded them.
-- Grain: one row per load. Reads: -. Writes: loads. Binds: -. Money: -. Rerun: applied once. Append only.
create table loads (
    load_id bigint generated always as identity primary key,
    source text not null,
    is_simulated boolean not null,
    through_session_date date not null,
    recorded_at timestamptz not null default clock_timestamp()
);
