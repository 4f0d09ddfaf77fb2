-- Reads whether the model's cuts apply in a run.
-- Grain: at most one row; none where no model was evaluated. Reads: gate_results, model_versions. Binds: run_id.
select
    gate_results.model_id,
    gate_results.serving,
    gate_results.reasons,
    model_versions.content_sha256
from results.gate_results
left join risk.model_versions on gate_results.model_id = model_versions.model_id
where gate_results.run_id = %(run_id)s;
