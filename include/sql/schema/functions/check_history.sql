create function risk.check_history()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    live_session date;
begin
    select min(runs.session_date)
    into live_session
    from risk.runs
    inner join risk.loads on runs.load_id = loads.load_id
    where
        not loads.is_history
        and not runs.is_point_in_time;
    if live_session <= new.through_session_date then
        raise check_violation using message = format(
            'history up to %s: session %s was run live, and what was known since then is on record',
            new.through_session_date,
            live_session
        );
    end if;
    return new;
end
$$;

comment on function risk.check_history() is
'Refuses the import of a history that reaches a session which was run live.';

create trigger check_history
before insert on risk.loads
for each row
when (new.is_history)
execute function risk.check_history();
