-- Reads the decisions that were recorded until an instant: about recommended limits, and about changes of the register.
-- Grain: one row per decision. Reads: limit_decisions, publications, limit_change_decisions, limit_changes.
-- Binds: as_of. Money: US dollars; 0 = no trading.
select
    'recommendation' as decided_about,
    limit_decisions.decision_id as decided_id,
    limit_decisions.account_id,
    publications.effective_session,
    limit_decisions.action,
    limit_decisions.limit_usd,
    limit_decisions.reason,
    limit_decisions.user_name,
    limit_decisions.recorded_at
from risk.limit_decisions
inner join risk.publications on limit_decisions.publication_id = publications.publication_id
where limit_decisions.recorded_at <= %(as_of)s
union all
select
    'change' as decided_about,
    limit_change_decisions.change_id as decided_id,
    limit_changes.account_id,
    null::date as effective_session,
    limit_change_decisions.action,
    limit_changes.limit_usd,
    limit_changes.reason,
    limit_change_decisions.user_name,
    limit_change_decisions.recorded_at
from risk.limit_change_decisions
inner join risk.limit_changes on limit_change_decisions.change_id = limit_changes.change_id
where limit_change_decisions.recorded_at <= %(as_of)s
order by
    recorded_at asc,
    decided_about asc,
    decided_id asc;
