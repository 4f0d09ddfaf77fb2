-- Reads patterns between traders of some sessions: those of one run, or of each span what the newest run says.
-- Grain: one row per finding, flagged ones first, then the rarest. Reads: desk_findings, desk_scans, runs.
-- Binds: run_id (null = the newest runs), first_session, last_session.
with newest as (
    select distinct on (desk_scans.session_date)
        desk_scans.session_date,
        desk_scans.run_id
    from results.desk_scans
    inner join risk.runs on desk_scans.run_id = runs.run_id
    where
        desk_scans.session_date between %(first_session)s and %(last_session)s
        and not runs.is_point_in_time
    order by
        desk_scans.session_date asc,
        desk_scans.run_id desc
),

newest_of_session as (
    select
        runs.session_date,
        max(runs.run_id) as run_id
    from results.desk_scans
    inner join risk.runs
        on
            desk_scans.run_id = runs.run_id
            and desk_scans.session_date = runs.session_date
    where not runs.is_point_in_time
    group by runs.session_date
)

select
    desk_findings.kind,
    desk_findings.first_session_date,
    desk_findings.last_session_date,
    desk_findings.account_id,
    desk_findings.other_account_ids,
    desk_findings.is_pair,
    desk_findings.symbols,
    desk_findings.first_at,
    desk_findings.last_at,
    desk_findings.observed_count,
    desk_findings.expected_count,
    desk_findings.probability,
    desk_findings.false_alarms_per_year,
    desk_findings.is_flagged,
    desk_findings.lag_seconds,
    desk_findings.size_ratio,
    desk_findings.same_size_count
from results.desk_findings
left join newest on desk_findings.last_session_date = newest.session_date
left join newest_of_session on desk_findings.last_session_date = newest_of_session.session_date
where
    desk_findings.first_session_date >= %(first_session)s
    and desk_findings.last_session_date <= %(last_session)s
    and desk_findings.run_id = coalesce(
        %(run_id)s::bigint,
        case
            when desk_findings.first_session_date = desk_findings.last_session_date then newest.run_id
            else newest_of_session.run_id
        end
    )
order by
    desk_findings.is_flagged desc,
    desk_findings.false_alarms_per_year asc,
    desk_findings.last_session_date desc,
    desk_findings.place asc;
