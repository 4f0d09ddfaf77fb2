-- Publishes limits; what a publication has published is never changed.
-- Grain: one row per account. Reads: publications. Writes: published_limits.
-- Binds: publication_id, limits (JSON array of objects by column name, numbers as decimal text).
-- Money: US dollars. Rerun: changes nothing.
insert into risk.published_limits (
    publication_id,
    account_id,
    effective_session,
    base_limit_usd,
    recommended_limit_usd,
    decided_limit_usd,
    limit_usd,
    reason,
    decision_id
)
select
    publications.publication_id,
    incoming.account_id,
    publications.effective_session,
    incoming.base_limit_usd,
    incoming.recommended_limit_usd,
    incoming.decided_limit_usd,
    incoming.limit_usd,
    incoming.reason,
    incoming.decision_id
from risk.publications
cross join
    lateral jsonb_to_recordset(%(limits)s::jsonb) as incoming (
        account_id text,
        base_limit_usd numeric,
        recommended_limit_usd numeric,
        decided_limit_usd numeric,
        limit_usd numeric,
        reason text,
        decision_id bigint
    )
where publications.publication_id = %(publication_id)s
on conflict (publication_id, account_id) do nothing;
