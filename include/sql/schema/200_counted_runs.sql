-- The one definition of which recommendation for a session counts in the ledger, as known at an instant.
-- Grain: one row per effective session that a report was made for. Reads: reports, runs, sessions. Writes: -. Binds: -.
-- Money: -. Rerun: applied once.
-- Of the reports that existed when the session opened the last revision, for that is what the desk traded by. Where
-- there was none, the one that was made first afterwards: making it again cannot improve the record. A run that knows
-- the past rehearses it: nobody traded by what it recommends.
create or replace function counted_runs(known_until timestamptz)
returns table (
    effective_session date,
    run_id bigint,
    told_at timestamptz,
    is_live boolean
)
language sql
stable
parallel safe
as $$
    select distinct on (runs.effective_session)
        runs.effective_session,
        runs.run_id,
        reports.recorded_at as told_at,
        reports.recorded_at < sessions.opens_at as is_live
    from reports
    inner join runs on reports.run_id = runs.run_id
    inner join sessions on runs.effective_session = sessions.session_date
    where
        reports.recorded_at <= counted_runs.known_until
        and not runs.is_point_in_time
    order by
        runs.effective_session asc,
        reports.recorded_at < sessions.opens_at desc,
        case when reports.recorded_at < sessions.opens_at then runs.revision end desc,
        reports.recorded_at asc,
        runs.revision asc
$$;
