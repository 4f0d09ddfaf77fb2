-- Reads the cut track record as of the newest run up to a session.
-- Grain: at most one row. Reads: cut_track_records, runs. Money: inside the sentences.
select cut_track_records.sentences
from results.cut_track_records
inner join risk.runs on cut_track_records.run_id = runs.run_id
where runs.session_date <= %(through_date)s
order by
    runs.session_date desc,
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
