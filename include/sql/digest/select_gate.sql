-- Counts the sessions of a week with forecast-based limits, with the last gate result.
-- Grain: at most one row. Reads: gate_results, runs, model_versions.
with newest as (
    select distinct on (runs.session_date)
        runs.session_date,
        gate_results.serving,
        gate_results.improvement,
        gate_results.exceedance_rate,
        gate_results.reasons,
        gate_results.drifts,
        model_versions.last_session_date
    from results.gate_results
    inner join risk.runs on gate_results.run_id = runs.run_id
    left join risk.model_versions on gate_results.model_id = model_versions.model_id
    where
        runs.session_date >= %(from_date)s
        and runs.session_date <= %(through_date)s
    order by
        runs.session_date asc,
        runs.is_point_in_time asc,
        runs.revision desc
)

select
    count(*) over () as judged_count,
    count(*) filter (where newest.serving <> 'rules') over () as serving_count,
    newest.improvement,
    newest.exceedance_rate,
    newest.reasons,
    newest.drifts,
    newest.last_session_date
from newest
order by newest.session_date desc
limit 1;
