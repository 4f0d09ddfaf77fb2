-- Splits of shares: so many new ones for so many old ones from the open of a session on.
-- Grain: one row per statement of a split. Reads: -. Writes: splits. Binds: -. Money: -. Rerun: applied once.
-- Append only. The current split as of an instant: among those with recorded_at <= as_of the greatest split_id.
create table splits (
    split_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references sessions (session_date),
    symbol text not null,
    new_shares numeric(18, 8) not null check (new_shares > 0),
    old_shares numeric(18, 8) not null check (old_shares > 0),
    recorded_at timestamptz not null
);
