-- Reads what a run has found past recommendations to be worth.
-- Grain: at most one row. Reads: cut_track_records. Writes: -. Binds: run_id. Money: inside the sentences.
-- Rerun: reads only.
select
    cut_track_records.verdict,
    cut_track_records.sentences
from results.cut_track_records
where cut_track_records.run_id = %(run_id)s;
