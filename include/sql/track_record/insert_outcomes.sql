-- Stores the outcomes of past recommendations under the base limit and under the recommended one.
-- Grain: one row per account and effective session. Writes: cut_outcomes.
-- Binds: outcomes (JSON array of objects by column name, numbers as decimal text). Money: US dollars, exact.
-- Rerun: refused.
insert into derived.cut_outcomes (
    account_id,
    effective_session,
    run_id,
    reported_at,
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
    incoming.account_id,
    incoming.effective_session,
    incoming.run_id,
    incoming.reported_at,
    incoming.is_live,
    incoming.base_limit_usd,
    incoming.cut_ratio,
    incoming.limit_usd,
    incoming.running_lows_usd,
    incoming.close_usd,
    incoming.base_outcome_usd,
    incoming.cut_outcome_usd
from
    jsonb_to_recordset(%(outcomes)s::jsonb) as incoming (
        account_id text,
        effective_session date,
        run_id bigint,
        reported_at timestamptz,
        is_live boolean,
        base_limit_usd numeric,
        cut_ratio numeric,
        limit_usd numeric,
        running_lows_usd numeric[],
        close_usd numeric,
        base_outcome_usd numeric,
        cut_outcome_usd numeric
    );
