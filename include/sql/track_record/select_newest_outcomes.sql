-- Reads the outcomes of the newest recommendations, with what people decided.
-- Grain: one row per account and effective session, newest first. Reads: decided_cut_outcomes, runs.
-- Binds: session_date, as_of, row_count. Money: US dollars, gains positive.
select
    entries.account_id,
    entries.effective_session,
    runs.session_date,
    entries.is_live,
    entries.cut_ratio,
    entries.base_limit_usd,
    entries.limit_usd,
    entries.base_outcome_usd,
    entries.cut_outcome_usd,
    entries.benefit_usd,
    entries.published_limit_usd,
    entries.decision
from risk.decided_cut_outcomes(%(session_date)s, %(as_of)s) as entries
inner join risk.runs on entries.run_id = runs.run_id
order by
    entries.effective_session desc,
    entries.account_id asc
limit %(row_count)s;
