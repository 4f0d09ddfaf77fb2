-- Reads the limits published for a run, with who decided.
-- Grain: one row per account, by name. Reads: publications, published_limits, limit_decisions. Binds: run_id.
-- Money: US dollars.
select
    published_limits.account_id,
    published_limits.limit_usd,
    published_limits.reason,
    limit_decisions.action,
    limit_decisions.user_name,
    limit_decisions.recorded_at,
    published_limits.recorded_at as published_at,
    published_limits.decision_id
from risk.publications
inner join risk.published_limits on publications.publication_id = published_limits.publication_id
inner join risk.limit_decisions on published_limits.decision_id = limit_decisions.decision_id
where publications.run_id = %(run_id)s
order by published_limits.account_id asc;
