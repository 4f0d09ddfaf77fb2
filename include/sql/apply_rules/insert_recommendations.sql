-- Stores what a run recommends.
-- Grain: one row per account. Reads: -. Writes: recommendations.
-- Binds: run_id, recommendations (JSON array of objects by column name, numbers as decimal text).
-- Money: US dollars. Rerun: after delete_recommendations, the same rows.
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
    given.forecast_fan_usd,
    given.expected_shortfall_usd,
    given.loss_probability,
    given.active_session_count,
    given.latest_session_date
from
    jsonb_to_recordset(%(recommendations)s::jsonb) as given (
        account_id text,
        status text,
        level text,
        cut_ratio numeric,
        base_limit_usd numeric,
        new_limit_usd numeric,
        source text,
        source_version text,
        source_reason text,
        reasons text[],
        rules_cut_ratio numeric,
        model_cut_ratio numeric,
        forecast_quantile_05_usd numeric,
        forecast_fan_usd numeric[],
        expected_shortfall_usd numeric,
        loss_probability numeric,
        active_session_count integer,
        latest_session_date date
    );
