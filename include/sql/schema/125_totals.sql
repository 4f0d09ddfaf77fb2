-- What a source's own books say of an account-session: the other side of the reconciliation.
-- Grain: one row per statement. Reads: -. Writes: totals. Binds: -. Rerun: applied once. Append only.
-- Money: US dollars, gains positive; net = gross less trade fees.
-- published_at: of the version of the account-session that a manifest speaks of; null for a file of totals.
create table totals (
    total_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references sessions (session_date),
    account_id text not null,
    gross_pnl_usd numeric(18, 8) not null,
    net_pnl_usd numeric(18, 8) not null,
    published_at timestamptz,
    recorded_at timestamptz not null
);
