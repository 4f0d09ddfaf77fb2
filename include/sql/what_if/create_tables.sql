-- Creates, for this connection, copies of the tables that a past decision reads, and a list of all forecasts with when
-- they became known. Grain: as the tables; issued_forecasts: one row per account, effective session and expert.
-- Reads: forecasts, runs, model_versions. Writes: daily_pnl, positions, last_fills, cut_outcomes, forecasts,
-- issued_forecasts, all temporary. Binds: -. Money: as in the tables. Rerun: gone with the connection.
create table private.daily_pnl (like derived.daily_pnl including all);
create table private.positions (like derived.positions including all);
create table private.last_fills (like derived.last_fills including all);
create table private.cut_outcomes (like derived.cut_outcomes including all);
create table private.forecasts (like derived.forecasts including all);

create temporary table pg_temp.issued_forecasts as
select
    issued.account_id,
    issued.effective_session,
    issued.expert,
    issued.run_id,
    issued.quantile_05_usd,
    issued.is_live,
    issued.model_id,
    coalesce(runs.as_of, model_versions.recorded_at) as known_at
from derived.forecasts as issued
left join risk.runs on issued.run_id = runs.run_id
left join risk.model_versions on issued.model_id = model_versions.model_id
where issued.expert in ('calibrated', 'historical', 'model');

create index issued_forecasts_known on pg_temp.issued_forecasts (known_at);
