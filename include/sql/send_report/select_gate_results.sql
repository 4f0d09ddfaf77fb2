-- Reads what the report says about the model.
-- Grain: at most one row. Reads: gate_results. Writes: -. Binds: run_id. Money: -. Rerun: reads only.
select
    gate_results.is_serving,
    gate_results.reasons,
    gate_results.drifts
from results.gate_results
where gate_results.run_id = %(run_id)s;
