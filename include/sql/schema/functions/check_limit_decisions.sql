create function risk.check_limit_decisions()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    refusal text;
begin
    with accounts as (
        select
            publications.publication_id,
            reported.account ->> 'account_id' as account_id,
            (reported.account ->> 'base_limit_usd')::numeric as base_limit_usd
        from (select distinct added.publication_id from added) as asked
        inner join risk.publications on asked.publication_id = publications.publication_id
        inner join risk.reports on publications.run_id = reports.run_id
        cross join lateral jsonb_array_elements(reports.facts::jsonb -> 'accounts') as reported (account)
    )

    select
        format('%s of %s in publication %s: %s', added.action, added.account_id, added.publication_id, found.why)
    into refusal
    from added
    inner join risk.publications on added.publication_id = publications.publication_id
    left join accounts
        on
            added.publication_id = accounts.publication_id
            and added.account_id = accounts.account_id
    left join risk.limit_decisions as first_decisions on added.carried_from = first_decisions.decision_id
    left join risk.publications as first_publications
        on first_decisions.publication_id = first_publications.publication_id
    cross join
        lateral (
            select
                case
                    when accounts.account_id is null then 'the report has no recommendation for it'
                    when added.limit_usd > accounts.base_limit_usd then 'the limit is above the base limit'
                    when
                        exists (
                            select 1
                            from risk.published_limits
                            where published_limits.publication_id = added.publication_id
                        )
                        then 'the limits are published already'
                    when
                        added.carried_from is not null
                        and (
                            first_publications.effective_session,
                            first_decisions.account_id,
                            first_decisions.action,
                            first_decisions.limit_usd,
                            first_decisions.user_id,
                            first_decisions.seen_sha256
                        ) is distinct from (
                            publications.effective_session,
                            added.account_id,
                            added.action,
                            added.limit_usd,
                            added.user_id,
                            added.seen_sha256
                        )
                        then 'it does not repeat the decision it names'
                    when
                        exists (
                            select 1
                            from risk.restores
                            where restores.recorded_at > publications.recorded_at
                        )
                        then 'the warehouse was restored after it was asked'
                    when
                        added.carried_from is null
                        and exists (select 1 from risk.restores where restores.recorded_at > added.shown_at)
                        then 'the warehouse was restored after it was shown'
                    when
                        added.carried_from is null
                        and added.user_id <> ''
                        and added.recorded_at >= publications.decision_deadline
                        then 'the deadline has passed'
                    when added.action = 'timed_out' and added.recorded_at < publications.decision_deadline
                        then 'the deadline has not passed'
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

comment on function risk.check_limit_decisions() is
'Refuses decisions about what is not open: an account that the report does not name, a limit above its base limit, a '
'published one, one that was asked or shown before a restore, a person''s after the deadline, a time-out before it, '
'a repetition of another decision.';

create trigger check_limit_decisions
after insert on risk.limit_decisions
referencing new table as added
for each statement
execute function risk.check_limit_decisions();
