-- One-step-ahead forecasts of the 5 % quantile of total P&L; the first one for a session counts, for ever.
-- Grain: one row per account, effective session and expert. Reads: -. Writes: forecasts. Binds: -.
-- Money: quantile_05_usd, US dollars, negative. Rerun: applied once. Append only.
-- expert: historical, filtered, or calibrated (what would be served).
-- is_live: issued before the effective session opened.
create table forecasts (
    account_id text not null,
    effective_session date not null references sessions (session_date),
    expert text not null,
    run_id bigint not null references runs (run_id),
    quantile_05_usd numeric not null check (quantile_05_usd < 0),
    is_live boolean not null,
    primary key (account_id, effective_session, expert)
);
