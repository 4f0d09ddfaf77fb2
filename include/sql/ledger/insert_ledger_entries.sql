-- Stores what became of recommendations.
-- Grain: one row per entry. Reads: -. Writes: ledger_entries.
-- Binds: entries (JSON array of objects by column name, numbers as decimal text). Money: US dollars, exact.
-- Rerun: refused.
insert into ledger_entries (
    account_id,
    effective_session,
    run_id,
    told_at,
    is_live,
    base_limit_usd,
    cut_ratio,
    limit_usd,
    running_lows_usd,
    close_usd,
    base_outcome_usd,
    cut_outcome_usd
)
select
    given.account_id,
    given.effective_session,
    given.run_id,
    given.told_at,
    given.is_live,
    given.base_limit_usd,
    given.cut_ratio,
    given.limit_usd,
    given.running_lows_usd,
    given.close_usd,
    given.base_outcome_usd,
    given.cut_outcome_usd
from
    jsonb_to_recordset(%(entries)s::jsonb) as given (
        account_id text,
        effective_session date,
        run_id bigint,
        told_at timestamptz,
        is_live boolean,
        base_limit_usd numeric,
        cut_ratio numeric,
        limit_usd numeric,
        running_lows_usd numeric[],
        close_usd numeric,
        base_outcome_usd numeric,
        cut_outcome_usd numeric
    );
