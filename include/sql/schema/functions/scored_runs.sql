create function risk.scored_runs(as_of timestamptz)
returns table (
    effective_session date,
    run_id bigint,
    reported_at timestamptz,
    is_live boolean
)
language sql
stable
parallel safe
as $$
    select distinct on (runs.effective_session)
        runs.effective_session,
        runs.run_id,
        reports.recorded_at as reported_at,
        reports.recorded_at < sessions.opens_at as is_live
    from risk.reports
    inner join risk.runs on reports.run_id = runs.run_id
    inner join risk.sessions on runs.effective_session = sessions.session_date
    where
        reports.recorded_at <= scored_runs.as_of
        and not runs.is_point_in_time
    order by
        runs.effective_session asc,
        reports.recorded_at < sessions.opens_at desc,
        case when reports.recorded_at < sessions.opens_at then runs.revision end desc,
        reports.recorded_at asc,
        runs.revision asc
$$;

comment on function risk.scored_runs(timestamptz) is
'The run whose recommendations for a session count in the cut track record, as known at an instant: the last '
'revision reported before the session opened, for that is what the desk traded by; else the first one reported '
'afterwards, since repeating it cannot improve the record. Point-in-time runs never count. Grain: one row per '
'effective session that was reported.';
