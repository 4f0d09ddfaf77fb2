-- Reads the rank correlations of daily results that a run has stored.
-- Grain: one row per pair of accounts, by name. Reads: desk_correlations. Binds: run_id.
select
    desk_correlations.account_id,
    desk_correlations.other_account_id,
    desk_correlations.session_count,
    desk_correlations.correlation_ratio,
    desk_correlations.low_ratio,
    desk_correlations.high_ratio
from results.desk_correlations
where desk_correlations.run_id = %(run_id)s
order by
    desk_correlations.account_id asc,
    desk_correlations.other_account_id asc;
