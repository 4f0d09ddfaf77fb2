-- Reads the cuts of the previous report: that of the newest earlier session reported by the run's cut-off.
-- Grain: one row per account of that report, by name; one row without an account if it had none.
-- Reads: sessions, runs, reports, recommendations, renamed_accounts. Binds: active_within (sessions).
with asked as (
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
)

select
    previous_run.session_date,
    coalesce(renamed.account_id, recommendations.account_id) as account_id,
    max(recommendations.cut_ratio) as cut_ratio
from previous_run
left join results.recommendations on previous_run.run_id = recommendations.run_id
left join risk.renamed_accounts(%(as_of)s) as renamed
    on
        recommendations.account_id = renamed.former_account_id
        and previous_run.session_date >= renamed.starts_at
        and previous_run.session_date < renamed.ends_before
group by
    previous_run.session_date,
    coalesce(renamed.account_id, recommendations.account_id)
order by account_id asc;
