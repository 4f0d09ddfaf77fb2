-- Puts beside each entry of the ledger what people made of the recommendation: the one definition of the words for it.
-- Grain: one row per entry known through a session and an instant. Reads: ledger_entries, publications,
-- published_limits, limit_decisions. Writes: -. Binds: -. Rerun: applied once.
-- Money: US dollars; benefit_usd: what the recommended cut was worth, gains positive; published_limit_usd null = none.
-- decision: followed, overridden (approved with another limit), rejected, defaulted (nobody answered), not asked,
-- not published.
create function decided_entries(through_session_date date, known_until timestamptz)
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
        published.limit_usd as published_limit_usd,
        case
            when published.account_id is null then 'not published'
            when decided.action = 'approved' and published.decided_limit_usd = published.recommended_limit_usd
                then 'followed'
            when decided.action = 'approved' then 'overridden'
            when decided.action = 'unasked' then 'not asked'
            else decided.action
        end as decision
    from ledger_entries as entries
    left join publications on entries.run_id = publications.run_id
    left join published_limits as published
        on
            publications.publication_id = published.publication_id
            and entries.account_id = published.account_id
    left join limit_decisions as decided on published.decision_id = decided.decision_id
    where
        entries.effective_session <= decided_entries.through_session_date
        and entries.told_at <= decided_entries.known_until
$$;
