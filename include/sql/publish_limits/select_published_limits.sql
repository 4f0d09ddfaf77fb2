-- Reads what a publication published, for the trading platform's file.
-- Grain: one row per account, by name. Reads: published_limits, limit_decisions. Binds: publication_id.
-- Money: US dollars.
select
    published_limits.account_id,
    published_limits.effective_session,
    published_limits.limit_usd,
    published_limits.base_limit_usd,
    limit_decisions.action,
    published_limits.reason,
    published_limits.decision_id
from risk.published_limits
inner join risk.limit_decisions on published_limits.decision_id = limit_decisions.decision_id
where published_limits.publication_id = %(publication_id)s
order by published_limits.account_id asc;
