-- Reads what past recommendations were worth: as known to the newest run, or to the newest one of a session.
-- Grain: at most one row. Reads: cut_track_records, tail_effects, runs. Binds: session_date (null = the newest).
-- Money: US dollars, gains positive.
select
    runs.session_date,
    runs.as_of,
    cut_track_records.entry_count,
    cut_track_records.live_count,
    cut_track_records.cut_count,
    cut_track_records.session_count,
    cut_track_records.average_cut_ratio,
    cut_track_records.prevented_usd,
    cut_track_records.forgone_usd,
    cut_track_records.prevented_usd + cut_track_records.forgone_usd as net_usd,
    cut_track_records.net_low_usd,
    cut_track_records.net_high_usd,
    cut_track_records.uniform_prevented_usd,
    cut_track_records.uniform_forgone_usd,
    cut_track_records.uniform_prevented_usd + cut_track_records.uniform_forgone_usd as uniform_net_usd,
    cut_track_records.lead_low_usd,
    cut_track_records.lead_high_usd,
    cut_track_records.random_net_usd,
    cut_track_records.random_deviation_usd,
    cut_track_records.random_p_value,
    cut_track_records.verdict,
    cut_track_records.sentences,
    coalesce(tail_effects.sentences, '{}') as tail_sentences
from results.cut_track_records
inner join risk.runs on cut_track_records.run_id = runs.run_id
left join results.tail_effects on cut_track_records.run_id = tail_effects.run_id
where
    %(session_date)s::date is null
    or runs.session_date = %(session_date)s
order by
    runs.session_date desc,
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
