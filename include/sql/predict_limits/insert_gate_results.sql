-- Stores what the gate found for a run.
-- Grain: one row per run. Reads: -. Writes: gate_results. Money: -. Rerun: after delete_gate_results, the same row.
-- Binds: run_id, model_id, is_serving, is_pass, session_count, forecast_count, improvement, p_value, breach_rate,
-- kupiec_p_value, christoffersen_p_value, reasons, drifts.
insert into results.gate_results (
    run_id,
    model_id,
    is_serving,
    is_pass,
    session_count,
    forecast_count,
    improvement,
    p_value,
    breach_rate,
    kupiec_p_value,
    christoffersen_p_value,
    reasons,
    drifts
)
values (
    %(run_id)s,
    %(model_id)s,
    %(is_serving)s,
    %(is_pass)s,
    %(session_count)s,
    %(forecast_count)s,
    %(improvement)s,
    %(p_value)s,
    %(breach_rate)s,
    %(kupiec_p_value)s,
    %(christoffersen_p_value)s,
    %(reasons)s::text[],
    %(drifts)s::text[]
);
