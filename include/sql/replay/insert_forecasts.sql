-- Recalls the forecasts that had been issued before a run.
-- Grain: one row per account, effective session and expert. Reads: forecasts, runs. Writes: forecasts (temporary).
-- Binds: as_of. Money: quantile_05_usd, US dollars, negative. Rerun: refused.
insert into forecasts (
    account_id,
    effective_session,
    expert,
    run_id,
    quantile_05_usd,
    is_live
)
select
    issued.account_id,
    issued.effective_session,
    issued.expert,
    issued.run_id,
    issued.quantile_05_usd,
    issued.is_live
from public.forecasts as issued
inner join runs on issued.run_id = runs.run_id
where runs.as_of < %(as_of)s
order by
    issued.effective_session,
    issued.account_id,
    issued.expert;
