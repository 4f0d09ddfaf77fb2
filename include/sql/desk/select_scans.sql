-- Reads what was looked at for patterns in some sessions: by one run, or by the newest run of each session.
-- Grain: one row per session, ascending. Reads: desk_scans, runs.
-- Binds: run_id (null = the newest runs), first_session, last_session.
select distinct on (desk_scans.session_date)
    desk_scans.session_date,
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
    desk_scans.run_id desc;
