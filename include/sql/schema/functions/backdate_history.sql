create function risk.backdate_history()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    opened_at timestamptz;
begin
    select loads.recorded_at
    into opened_at
    from risk.loads
    where
        loads.load_id = new.load_id
        and loads.is_history
        and loads.through_session_date >= new.session_date
        and loads.xmin = pg_current_xact_id()::xid;
    if found then
        new.recorded_at := least(new.published_at, opened_at);
    end if;
    return new;
end
$$;

comment on function risk.backdate_history() is
'Lets a row of a history that this transaction imports count from when its source published it. Nothing else '
'backdates: no role but the owner may state when a row was recorded.';

create trigger backdate_history
before insert on risk.deliveries
for each row
execute function risk.backdate_history();

create trigger backdate_history
before insert on risk.totals
for each row
execute function risk.backdate_history();
