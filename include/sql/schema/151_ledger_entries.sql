-- What became of past recommendations. A cache: rebuilt from reports, books and fills at will.
-- Grain: one row per account and effective session whose books are complete. Reads: -. Writes: ledger_entries.
-- Binds: -. Money: US dollars, gains positive. Rerun: applied once.
-- running_lows_usd: the session's new lows of the running net P&L, as positive losses, ascending: whatever the limit, the day
-- ends at the first of them that reaches it. close_usd: the session's total P&L.
-- base_outcome_usd, cut_outcome_usd: where the day ends under the base limit and under the recommended one.
create table ledger_entries (
    account_id text not null,
    effective_session date not null references sessions (session_date),
    run_id bigint not null references runs (run_id),
    told_at timestamptz not null,
    is_live boolean not null,
    base_limit_usd numeric(18, 2) not null,
    cut_ratio numeric(3, 2) not null,
    limit_usd numeric(18, 2) not null,
    running_lows_usd numeric[] not null,
    close_usd numeric not null,
    base_outcome_usd numeric not null,
    cut_outcome_usd numeric not null,
    primary key (account_id, effective_session)
);
