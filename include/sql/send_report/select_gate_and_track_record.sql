-- Reads what a run found about the model and about past cuts.
-- Grain: at most one row; the columns of a missing part are null.
-- Reads: gate_results, cut_track_records. Money: inside the sentences.
with gate as (
    select
        gate_results.run_id,
        gate_results.is_serving,
        gate_results.reasons,
        gate_results.drifts
    from results.gate_results
    where gate_results.run_id = %(run_id)s
),

track_record as (
    select
        cut_track_records.run_id,
        cut_track_records.verdict,
        cut_track_records.sentences
    from results.cut_track_records
    where cut_track_records.run_id = %(run_id)s
)

select
    gate.is_serving,
    coalesce(gate.reasons, '{}') as gate_reasons,
    coalesce(gate.drifts, '{}') as drifts,
    track_record.verdict as track_record_verdict,
    coalesce(track_record.sentences, '{}') as track_record_sentences
from gate
full outer join track_record on gate.run_id = track_record.run_id;
