-- Reads the desk's session: P&L of the accounts that traded, what the run found about the model and past cuts, and the
-- cuts of the previous report: that of the newest earlier session reported by the run's cut-off.
-- Grain: one row; the columns of a missing gate result, track record or previous report are null or empty.
-- Reads: daily_pnl, gate_results, cut_track_records, sessions, runs, reports, recommendations, renamed_accounts.
-- Binds: active_within (sessions).
-- Money: US dollars, gains positive; null if nobody traded or no books are complete. Both sums exclude accounts with
-- incomplete books, even if their net P&L is known.
with traded as (
    select
        count(*) as traded_account_count,
        count(daily_pnl.incomplete_reason) as incomplete_account_count,
        coalesce(sum(daily_pnl.fill_count), 0)::bigint as fill_count,
        sum(daily_pnl.net_pnl_usd) filter (where daily_pnl.incomplete_reason is null) as net_pnl_usd,
        sum(daily_pnl.total_pnl_usd) as total_pnl_usd
    from derived.daily_pnl
    where
        daily_pnl.session_date = %(session_date)s
        and daily_pnl.fill_count > 0
),

asked as (
    select sessions.session_number
    from risk.sessions
    where sessions.session_date = %(session_date)s
),

previous_run as (
    select
        runs.run_id,
        runs.session_date
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    inner join risk.sessions on runs.session_date = sessions.session_date
    cross join asked
    where
        sessions.session_number < asked.session_number
        and sessions.session_number >= asked.session_number - %(active_within)s
        and reports.recorded_at <= %(as_of)s
        and not runs.is_point_in_time
    order by
        runs.session_date desc,
        runs.revision desc
    limit 1
),

previous_cuts as (
    select
        coalesce(renamed.account_id, recommendations.account_id) as account_id,
        max(recommendations.cut_ratio) as cut_ratio
    from previous_run
    inner join results.recommendations on previous_run.run_id = recommendations.run_id
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            recommendations.account_id = renamed.former_account_id
            and previous_run.session_date >= renamed.starts_at
            and previous_run.session_date < renamed.ends_before
    group by coalesce(renamed.account_id, recommendations.account_id)
)

select
    traded.traded_account_count,
    traded.incomplete_account_count,
    traded.fill_count,
    traded.net_pnl_usd,
    traded.total_pnl_usd,
    gate_results.serving,
    coalesce(gate_results.reasons, '{}') as gate_reasons,
    coalesce(gate_results.drifts, '{}') as drifts,
    cut_track_records.verdict as track_record_verdict,
    coalesce(cut_track_records.sentences, '{}') as track_record_sentences,
    (select previous_run.session_date from previous_run) as previous_session_date,
    array(
        select previous_cuts.account_id
        from previous_cuts
        order by previous_cuts.account_id
    ) as previous_account_ids,
    array(
        select previous_cuts.cut_ratio
        from previous_cuts
        order by previous_cuts.account_id
    ) as previous_cut_ratios
from traded
left join results.gate_results on gate_results.run_id = %(run_id)s
left join results.cut_track_records on cut_track_records.run_id = %(run_id)s;
