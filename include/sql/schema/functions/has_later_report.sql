-- A point-in-time run is superseded by point-in-time runs only.
create function risk.has_later_report(run_id bigint)
returns boolean
language sql
stable
as $$
    select count(*) > 0
    from risk.runs as own
    inner join risk.runs as later
        on
            own.session_date = later.session_date
            and own.revision < later.revision
            and (own.is_point_in_time or not later.is_point_in_time)
    inner join risk.reports on later.run_id = reports.run_id
    where own.run_id = has_later_report.run_id
$$;

comment on function risk.has_later_report(bigint) is
'Whether a later revision of a run''s session has a report.';
