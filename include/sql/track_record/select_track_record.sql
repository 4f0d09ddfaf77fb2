-- Reads what past recommendations were worth: as known to the newest run, or to the newest one of a session.
-- Grain: at most one row. Reads: ledger_results, runs. Binds: session_date (null = the newest).
-- Money: US dollars, gains positive.
select
    runs.session_date,
    runs.as_of,
    ledger_results.entry_count,
    ledger_results.live_count,
    ledger_results.cut_count,
    ledger_results.session_count,
    ledger_results.average_cut_ratio,
    ledger_results.prevented_usd,
    ledger_results.forgone_usd,
    ledger_results.prevented_usd + ledger_results.forgone_usd as net_usd,
    ledger_results.net_low_usd,
    ledger_results.net_high_usd,
    ledger_results.uniform_prevented_usd,
    ledger_results.uniform_forgone_usd,
    ledger_results.uniform_prevented_usd + ledger_results.uniform_forgone_usd as uniform_net_usd,
    ledger_results.lead_low_usd,
    ledger_results.lead_high_usd,
    ledger_results.random_net_usd,
    ledger_results.random_deviation_usd,
    ledger_results.random_p_value,
    ledger_results.verdict,
    ledger_results.sentences
from ledger_results
inner join runs on ledger_results.run_id = runs.run_id
where
    %(session_date)s::date is null
    or runs.session_date = %(session_date)s
order by
    runs.session_date desc,
    runs.is_point_in_time asc,
    runs.revision desc
limit 1;
