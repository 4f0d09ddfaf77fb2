-- Money booked to accounts beside their trading: a ledger of its own, no part of any P&L.
-- Grain: one row per adjustment told. Reads: -. Writes: adjustments. Binds: -. Rerun: applied once. Append only.
-- Money: amount_usd, US dollars, positive = credit to account_id; offset_account_id is booked the opposite.
-- The current ones of an account and session as of an instant: all of the newest load among those recorded until then.
create table adjustments (
    adjustment_id bigint generated always as identity primary key,
    load_id bigint not null references loads (load_id),
    file_name text not null,
    line_number bigint not null,
    session_date date not null references sessions (session_date),
    account_id text not null,
    offset_account_id text,
    category text not null,
    amount_usd numeric(18, 8) not null check (amount_usd <> 0),
    comment text not null,
    recorded_at timestamptz not null,
    check (offset_account_id <> account_id)
);
