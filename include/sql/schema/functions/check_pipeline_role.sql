create function risk.check_pipeline_role()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not has_column_privilege(current_user, 'risk.published_limits', 'limit_usd', 'insert') then
        raise insufficient_privilege using message = format(
            '%s: what no person entered needs the role of the pipeline, and %s is not it', tg_table_name, current_user
        );
    end if;
    return new;
end
$$;

comment on function risk.check_pipeline_role() is
'Refuses a row that no person entered unless the role may publish limits, as that of the pipeline may.';

create trigger check_pipeline_role
before insert on risk.limit_decisions
for each row
when (new.user_id = '' or new.carried_from is not null)
execute function risk.check_pipeline_role();

create trigger check_pipeline_role
before insert on risk.platform_limits
for each row
when (new.user_id is null)
execute function risk.check_pipeline_role();
