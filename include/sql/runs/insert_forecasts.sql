-- Copies the forecasts issued before an instant, or reconstructed by a training before it, into a run's own schema.
-- Grain: one row per account, effective session and expert. Reads: forecasts, runs, model_versions. Binds: as_of.
insert into private.forecasts (
    account_id,
    effective_session,
    expert,
    run_id,
    quantile_05_usd,
    is_live,
    model_id
)
select
    issued.account_id,
    issued.effective_session,
    issued.expert,
    issued.run_id,
    issued.quantile_05_usd,
    issued.is_live,
    issued.model_id
from derived.forecasts as issued
left join risk.runs on issued.run_id = runs.run_id
left join risk.model_versions on issued.model_id = model_versions.model_id
where coalesce(runs.as_of, model_versions.recorded_at) < %(as_of)s
order by
    issued.effective_session,
    issued.account_id,
    issued.expert;
