create function risk.decided_cut_outcomes(through_session_date date, as_of timestamptz)
returns table (
    account_id text,
    effective_session date,
    run_id bigint,
    is_live boolean,
    cut_ratio numeric,
    base_limit_usd numeric,
    limit_usd numeric,
    base_outcome_usd numeric,
    cut_outcome_usd numeric,
    benefit_usd numeric,
    published_limit_usd numeric,
    decision text
)
language sql
stable
parallel safe
as $$
    with decided as (
        select
            publications.run_id,
            coalesce(renamed.account_id, published.account_id) as account_id,
            published.limit_usd,
            case
                when decisions.action = 'approved' and published.decided_limit_usd = published.recommended_limit_usd
                    then 'followed'
                when decisions.action = 'approved' then 'overridden'
                when decisions.action = 'timed_out' then 'timed out'
                when decisions.action = 'not_required' then 'not required'
                else decisions.action
            end as decision
        from risk.publications
        inner join risk.runs on publications.run_id = runs.run_id
        inner join risk.published_limits as published on publications.publication_id = published.publication_id
        inner join risk.limit_decisions as decisions on published.decision_id = decisions.decision_id
        left join risk.renamed_accounts('infinity') as renamed
            on
                published.account_id = renamed.former_account_id
                and runs.session_date >= renamed.starts_at
                and runs.session_date < renamed.ends_before
    ),

    named as (
        select
            decided.run_id,
            decided.account_id,
            sum(decided.limit_usd) as limit_usd,
            case
                when min(decided.decision) = max(decided.decision) then min(decided.decision)
                else 'overridden'
            end as decision
        from decided
        group by
            decided.run_id,
            decided.account_id
    )

    select
        entries.account_id,
        entries.effective_session,
        entries.run_id,
        entries.is_live,
        entries.cut_ratio,
        entries.base_limit_usd,
        entries.limit_usd,
        entries.base_outcome_usd,
        entries.cut_outcome_usd,
        entries.cut_outcome_usd - entries.base_outcome_usd as benefit_usd,
        named.limit_usd as published_limit_usd,
        coalesce(named.decision, 'not published') as decision
    from derived.cut_outcomes as entries
    left join named
        on
            entries.run_id = named.run_id
            and entries.account_id = named.account_id
    where
        entries.effective_session <= decided_cut_outcomes.through_session_date
        and entries.reported_at <= decided_cut_outcomes.as_of
$$;

comment on function risk.decided_cut_outcomes(date, timestamptz) is
'Each cut outcome known through a session and an instant, with what people decided about the recommendation. '
'decision: followed, overridden (approved with another limit, or merged accounts whose decisions differ), '
'rejected, timed out, not required, not published. Grain: one row per account and effective session. US dollars; '
'benefit_usd: value of the recommended cut, gains positive; published_limit_usd null = none. For the Risk page: '
'it reads the live schema derived, whatever a connection puts in its place.';
