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
