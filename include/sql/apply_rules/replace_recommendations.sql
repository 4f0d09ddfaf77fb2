-- Replaces what a run recommends, so that its task can decide again.
-- Grain: one row per account. Writes: recommendations.
-- Binds: run_id, recommendations (JSON array of objects by column name, numbers as decimal text).
-- Money: US dollars. Rerun: the same rows.
delete from results.recommendations
where recommendations.run_id = %(run_id)s;

insert into results.recommendations (
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
    forecast_fan_usd,
    expected_shortfall_usd,
    loss_probability,
    active_session_count,
    latest_session_date
)
select
    %(run_id)s,
    incoming.account_id,
    incoming.status,
    incoming.level,
    incoming.cut_ratio,
    incoming.base_limit_usd,
    incoming.new_limit_usd,
    incoming.source,
    incoming.source_version,
    incoming.source_reason,
    incoming.reasons,
    incoming.rules_cut_ratio,
    incoming.model_cut_ratio,
    incoming.forecast_quantile_05_usd,
    incoming.forecast_fan_usd,
    incoming.expected_shortfall_usd,
    incoming.loss_probability,
    incoming.active_session_count,
    incoming.latest_session_date
from jsonb_populate_recordset(null::results.recommendations, %(recommendations)s::jsonb) as incoming;
