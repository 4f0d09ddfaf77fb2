-- What a source delivered for one account in one session; a newer delivery replaces the older one whole.
-- Grain: one row per delivery. Reads: -. Writes: deliveries. Binds: -. Money: -. Rerun: applied once. Append only.
-- The current delivery as of an instant: among those with recorded_at <= as_of the greatest
-- (coalesce(published_at, recorded_at), delivery_id).
create table deliveries (
    delivery_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    account_id text not null,
    session_date date not null references sessions (session_date),
    content_sha256 text not null,
    published_at timestamptz,
    recorded_at timestamptz not null,
    row_count bigint not null,
    loaded_count bigint not null,
    rejected_count bigint not null,
    duplicate_count bigint not null,
    check (row_count = loaded_count + rejected_count + duplicate_count)
);
