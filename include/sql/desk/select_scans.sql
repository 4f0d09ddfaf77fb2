-- Reads which sessions were scanned for patterns: by one run, or by the newest run of each session.
-- Grain: one row per session, ascending. Reads: desk_scans, runs.
-- Binds: run_id (null = the newest runs), first_session, last_session.
-- run_id: the run that counts for the session's own findings; own_run_id: for those of several sessions that end with
-- it, the newest run of the session itself, since a later run looks back at its days and not at its week.
with scanned as (
    select distinct on (desk_scans.session_date)
        desk_scans.session_date,
        desk_scans.run_id,
        desk_scans.account_count,
        desk_scans.fill_count,
        desk_scans.skipped_fill_count,
        desk_scans.self_trade_count,
        desk_scans.self_trades_by_chance
    from results.desk_scans
    inner join risk.runs on desk_scans.run_id = runs.run_id
    where
        desk_scans.session_date between %(first_session)s and %(last_session)s
        and (desk_scans.run_id = %(run_id)s::bigint or (%(run_id)s::bigint is null and not runs.is_point_in_time))
    order by
        desk_scans.session_date asc,
        desk_scans.run_id desc
),

own_runs as (
    select
        runs.session_date,
        max(runs.run_id) as run_id
    from risk.runs
    inner join results.desk_scans
        on
            runs.run_id = desk_scans.run_id
            and runs.session_date = desk_scans.session_date
    where
        runs.session_date between %(first_session)s and %(last_session)s
        and not runs.is_point_in_time
    group by runs.session_date
)

select
    scanned.session_date,
    scanned.run_id,
    coalesce(%(run_id)s::bigint, own_runs.run_id) as own_run_id,
    scanned.account_count,
    scanned.fill_count,
    scanned.skipped_fill_count,
    scanned.self_trade_count,
    scanned.self_trades_by_chance
from scanned
left join own_runs on scanned.session_date = own_runs.session_date
order by scanned.session_date asc;
