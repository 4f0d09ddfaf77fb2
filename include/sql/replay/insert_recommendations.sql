-- Copies what earlier runs recommended into the schema of a replay.
-- Grain: one row per run and account. Reads: recommendations.
insert into private.recommendations (
    run_id,
    account_id,
    status,
    level,
    cut_ratio,
    base_limit_usd,
    new_limit_usd,
    source,
    source_version,
    source_reason,
    reasons,
    rules_cut_ratio,
    model_cut_ratio,
    forecast_quantile_05_usd,
    active_session_count,
    latest_session_date
)
select
    given.run_id,
    given.account_id,
    given.status,
    given.level,
    given.cut_ratio,
    given.base_limit_usd,
    given.new_limit_usd,
    given.source,
    given.source_version,
    given.source_reason,
    given.reasons,
    given.rules_cut_ratio,
    given.model_cut_ratio,
    given.forecast_quantile_05_usd,
    given.active_session_count,
    given.latest_session_date
from results.recommendations as given
order by
    given.run_id,
    given.account_id;
