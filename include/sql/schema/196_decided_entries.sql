-- Puts beside each entry of the ledger what people made of the recommendation: the one definition of the words for it.
-- Grain: one row per entry known through a session and an instant. Reads: ledger_entries, publications, runs,
-- published_limits, limit_decisions, renamed_accounts. Writes: -. Binds: -. Rerun: applied once.
-- Money: US dollars; benefit_usd: what the recommended cut was worth, gains positive; published_limit_usd null = none.
-- decision: followed, overridden (approved with another limit), rejected, defaulted (nobody answered), not asked,
-- not published. As the entries, limits follow renamed accounts: of several accounts that are one since then they count
-- in sum, and where their decisions differ the recommendation was overridden.
create or replace function decided_entries(through_session_date date, known_until timestamptz)
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
                when decisions.action = 'unasked' then 'not asked'
                else decisions.action
            end as decision
        from publications
        inner join runs on publications.run_id = runs.run_id
        inner join published_limits as published on publications.publication_id = published.publication_id
        inner join limit_decisions as decisions on published.decision_id = decisions.decision_id
        left join renamed_accounts('infinity') as renamed
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
    from ledger_entries as entries
    left join named
        on
            entries.run_id = named.run_id
            and entries.account_id = named.account_id
    where
        entries.effective_session <= decided_entries.through_session_date
        and entries.told_at <= decided_entries.known_until
$$;
