-- Copies the gate's bets that were placed before an instant into a run's own schema.
-- Grain: one row per session and candidate. Reads: gate_bets, runs. Binds: as_of.
insert into private.gate_bets (
    session_date,
    candidate,
    opponent,
    procedure,
    run_id,
    gain,
    forecast_count,
    exceedance_count,
    log_wealth,
    log_contrary,
    log_high,
    log_low,
    is_serving
)
select
    placed.session_date,
    placed.candidate,
    placed.opponent,
    placed.procedure,
    placed.run_id,
    placed.gain,
    placed.forecast_count,
    placed.exceedance_count,
    placed.log_wealth,
    placed.log_contrary,
    placed.log_high,
    placed.log_low,
    placed.is_serving
from derived.gate_bets as placed
inner join risk.runs on placed.run_id = runs.run_id
where runs.as_of < %(as_of)s
order by
    placed.session_date asc,
    placed.candidate asc;
