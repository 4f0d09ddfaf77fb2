create function risk.check_page_role()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if not has_column_privilege(current_user, 'risk.limit_change_decisions', 'action', 'insert') then
        raise insufficient_privilege using message = format(
            '%s: what a person enters needs the role of the Risk page, and %s is not it', tg_table_name, current_user
        );
    end if;
    return new;
end
$$;

comment on function risk.check_page_role() is
'Refuses a row that a person entered unless the role may decide about limit changes, as that of the Risk page may.';

create trigger check_page_role
before insert on risk.limit_decisions
for each row
when (new.user_id <> '' and new.carried_from is null)
execute function risk.check_page_role();

create trigger check_page_role
before insert on risk.platform_limits
for each row
when (new.user_id is not null)
execute function risk.check_page_role();

-- The command line asks as user@host; the id of a person logged in to Airflow comes from the page.
create trigger check_page_role
before insert on risk.limit_changes
for each row
when (new.requested_by !~ '@')
execute function risk.check_page_role();

create trigger check_page_role
before insert on risk.policy_requests
for each row
when (new.requested_by !~ '@')
execute function risk.check_page_role();
