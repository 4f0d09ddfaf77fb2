-- Roles: what a person decides needs the role of the Risk page, what nobody answered that of the pipeline; the server
-- sets when a load's rows were recorded; limits are published as they were decided.
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

create trigger check_page_role
before insert on risk.limit_decisions
for each row
when (new.user_id <> '' and new.carried_from is null)
execute function risk.check_page_role();

create trigger check_pipeline_role
before insert on risk.limit_decisions
for each row
when (new.user_id = '' or new.carried_from is not null)
execute function risk.check_pipeline_role();

create trigger check_page_role
before insert on risk.platform_limits
for each row
when (new.user_id is not null)
execute function risk.check_page_role();

create trigger check_pipeline_role
before insert on risk.platform_limits
for each row
when (new.user_id is null)
execute function risk.check_pipeline_role();

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

create function risk.check_limit_sources()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    refusal text;
begin
    with asked as (
        select distinct
            publications.publication_id,
            publications.effective_session,
            publications.is_live,
            runs.revision,
            runs.is_point_in_time,
            reports.facts::jsonb -> 'accounts' as accounts
        from added
        inner join risk.publications on added.publication_id = publications.publication_id
        inner join risk.runs on publications.run_id = runs.run_id
        inner join risk.reports on publications.run_id = reports.run_id
    ),

    reported as (
        select
            asked.publication_id,
            account.facts ->> 'account_id' as account_id,
            (account.facts ->> 'new_limit_usd')::numeric as recommended_limit_usd
        from asked
        cross join lateral jsonb_array_elements(asked.accounts) as account (facts)
    )

    select
        format('%s of %s in publication %s: %s', added.action, added.account_id, added.publication_id, found.why)
    into refusal
    from added
    inner join asked on added.publication_id = asked.publication_id
    inner join reported
        on
            added.publication_id = reported.publication_id
            and added.account_id = reported.account_id
    left join risk.limit_decisions as first_decisions on added.carried_from = first_decisions.decision_id
    left join risk.publications as first_publications
        on first_decisions.publication_id = first_publications.publication_id
    cross join
        lateral (
            select
                case
                    when
                        added.carried_from is not null
                        and (
                            first_publications.is_live, first_decisions.reason, first_decisions.user_name,
                            first_decisions.shown_at, first_decisions.carried_from
                        ) is distinct from (asked.is_live, added.reason, added.user_name, added.shown_at, null)
                        then 'it does not repeat the decision it names'
                    when
                        added.user_id = ''
                        and added.limit_usd > reported.recommended_limit_usd
                        and not exists (
                            select 1
                            from risk.limit_decisions as earlier
                            inner join risk.publications
                                on earlier.publication_id = publications.publication_id
                            inner join risk.runs on publications.run_id = runs.run_id
                            where
                                publications.effective_session = asked.effective_session
                                and publications.is_live = asked.is_live
                                and runs.is_point_in_time = asked.is_point_in_time
                                and runs.revision < asked.revision
                                and earlier.account_id = added.account_id
                                and earlier.action in ('approved', 'rejected')
                                and earlier.limit_usd >= added.limit_usd
                        )
                        then 'nobody has answered, and the limit is above the recommended one'
                    when
                        added.user_id <> ''
                        and added.carried_from is null
                        and exists (
                            select 1
                            from risk.publications as later
                            inner join risk.runs as later_runs on later.run_id = later_runs.run_id
                            where
                                later.effective_session = asked.effective_session
                                and later_runs.revision > asked.revision
                                and (later.is_live or not asked.is_live)
                                and (asked.is_point_in_time or not later_runs.is_point_in_time)
                        )
                        then 'a later report superseded it'
                end as why
        ) as found
    where found.why is not null
    limit 1;
    if refusal is not null then
        raise check_violation using message = refusal;
    end if;
    return null;
end
$$;

comment on function risk.check_limit_sources() is
'Refuses a limit that comes from nowhere: above the recommended one without an earlier decision of a person, '
'a repetition that is not the first decision word for word, a person''s decision about a superseded report.';

create trigger check_limit_sources
after insert on risk.limit_decisions
referencing new table as added
for each statement
execute function risk.check_limit_sources();

create function risk.check_published_limits()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    refusal text;
begin
    select format('limit of %s in publication %s: it is not what was decided', added.account_id, added.publication_id)
    into refusal
    from added
    inner join risk.publications on added.publication_id = publications.publication_id
    inner join risk.limit_decisions on added.decision_id = limit_decisions.decision_id
    where
        limit_decisions.action = 'edited'
        or (
            limit_decisions.publication_id, limit_decisions.account_id, limit_decisions.limit_usd,
            publications.effective_session
        ) is distinct from (added.publication_id, added.account_id, added.limit_usd, added.effective_session)
        or added.limit_usd > added.base_limit_usd
    limit 1;
    if refusal is not null then
        raise check_violation using message = refusal;
    end if;
    return null;
end
$$;

comment on function risk.check_published_limits() is
'Refuses a published limit that is not the one its decision states, is of another account or session, or lies above '
'the base limit.';

create trigger check_published_limits
after insert on risk.published_limits
referencing new table as added
for each statement
execute function risk.check_published_limits();

create function risk.load_instant()
returns timestamptz
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(
            (
                select newest.recorded_at
                from (
                    select
                        loads.recorded_at,
                        loads.xmin
                    from risk.loads
                    order by loads.load_id desc
                    limit 1
                ) as newest
                where newest.xmin = pg_current_xact_id()::xid
            ),
            clock_timestamp()
        )
$$;

comment on function risk.load_instant() is
'When a row of a load was recorded: the instant of the load that this transaction has opened, else the clock.';

alter table risk.accounts alter column recorded_at set default risk.load_instant();
alter table risk.adjustments alter column recorded_at set default risk.load_instant();
alter table risk.deliveries alter column recorded_at set default risk.load_instant();
alter table risk.instruments alter column recorded_at set default risk.load_instant();
alter table risk.marks alter column recorded_at set default risk.load_instant();
alter table risk.platform_limits alter column recorded_at set default risk.load_instant();
alter table risk.splits alter column recorded_at set default risk.load_instant();
alter table risk.totals alter column recorded_at set default risk.load_instant();

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
