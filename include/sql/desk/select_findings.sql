-- Reads patterns between traders of some sessions, as the runs that count for them have stored them.
-- Grain: one row per finding, flagged ones first, then the rarest. Reads: desk_findings.
-- Binds: session_dates, run_ids, own_run_ids (arrays of equal length, see select_scans), first_session.
with scanned as (
    select
        listed.session_date,
        listed.run_id,
        listed.own_run_id
    from unnest(%(session_dates)s::date[], %(run_ids)s::bigint[], %(own_run_ids)s::bigint[]) as listed (
        session_date, run_id, own_run_id
    )
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
from scanned
inner join results.desk_findings
    on
        scanned.session_date = desk_findings.last_session_date
        and desk_findings.run_id = case
            when desk_findings.first_session_date = desk_findings.last_session_date then scanned.run_id
            else scanned.own_run_id
        end
where desk_findings.first_session_date >= %(first_session)s
order by
    desk_findings.is_flagged desc,
    desk_findings.false_alarms_per_year asc,
    desk_findings.last_session_date desc,
    desk_findings.place asc;
