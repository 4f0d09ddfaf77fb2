-- Reads the gate's evaluation of each session, by the newest run that is not point-in-time where there is one.
-- Grain: one row per session, ascending. Reads: gate_results, runs.
select distinct on (runs.session_date)
    runs.session_date,
    gate_results.model_id,
    gate_results.serving,
    gate_results.is_pass,
    gate_results.session_count,
    gate_results.forecast_count,
    gate_results.improvement,
    gate_results.p_value,
    gate_results.exceedance_rate,
    gate_results.kupiec_p_value,
    gate_results.christoffersen_p_value,
    gate_results.reasons,
    gate_results.drifts
from results.gate_results
inner join risk.runs on gate_results.run_id = runs.run_id
order by
    runs.session_date asc,
    runs.is_point_in_time asc,
    runs.revision desc;
