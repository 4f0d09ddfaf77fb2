-- Stores what the gate found for a run.
-- Grain: one row per run. Writes: gate_results. Rerun: replaces the run's row.
-- Binds: run_id, model_id, serving, is_pass, session_count, forecast_count, improvement, p_value, exceedance_rate,
-- kupiec_p_value, christoffersen_p_value, reasons, drifts.
insert into results.gate_results (
    run_id,
    model_id,
    serving,
    is_pass,
    session_count,
    forecast_count,
    improvement,
    p_value,
    exceedance_rate,
    kupiec_p_value,
    christoffersen_p_value,
    reasons,
    drifts
)
values (
    %(run_id)s,
    %(model_id)s,
    %(serving)s,
    %(is_pass)s,
    %(session_count)s,
    %(forecast_count)s,
    %(improvement)s,
    %(p_value)s,
    %(exceedance_rate)s,
    %(kupiec_p_value)s,
    %(christoffersen_p_value)s,
    %(reasons)s::text[],
    %(drifts)s::text[]
)
on conflict (run_id) do update set
    model_id = excluded.model_id,
    serving = excluded.serving,
    is_pass = excluded.is_pass,
    session_count = excluded.session_count,
    forecast_count = excluded.forecast_count,
    improvement = excluded.improvement,
    p_value = excluded.p_value,
    exceedance_rate = excluded.exceedance_rate,
    kupiec_p_value = excluded.kupiec_p_value,
    christoffersen_p_value = excluded.christoffersen_p_value,
    reasons = excluded.reasons,
    drifts = excluded.drifts;
