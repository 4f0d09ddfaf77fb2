-- Reads every decision of a publication in the order they were made.
-- Grain: one row per decision. Reads: limit_decisions. Binds: publication_id. Money: US dollars.
select
    limit_decisions.account_id,
    limit_decisions.action,
    limit_decisions.limit_usd,
    limit_decisions.reason,
    limit_decisions.user_name,
    limit_decisions.recorded_at,
    limit_decisions.carried_from is not null as is_carried
from risk.limit_decisions
where limit_decisions.publication_id = %(publication_id)s
order by limit_decisions.decision_id asc;
