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
