-- Closing prices a source gave for a session.
-- Grain: one row per statement of a mark. Reads: -. Writes: marks. Binds: -.
-- Money: price in the given currency; null = the source says there is none. Rerun: applied once. Append only.
-- The current mark as of an instant: among those with recorded_at <= as_of the greatest mark_id.
create table marks (
    mark_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references sessions (session_date),
    symbol text not null,
    price numeric(18, 8) check (price > 0),
    volume numeric(18, 8),
    currency text not null,
    multiplier numeric(18, 8) check (multiplier > 0),
    recorded_at timestamptz not null
);
