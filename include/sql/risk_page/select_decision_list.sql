-- Reads every decision about a recommended limit.
-- Grain: one row per decision. Reads: limit_decisions, publications, runs. Binds: -. Money: US dollars.
select
    limit_decisions.decision_id,
    limit_decisions.publication_id,
    runs.session_date,
    runs.effective_session,
    limit_decisions.account_id,
    limit_decisions.action,
    limit_decisions.limit_usd,
    limit_decisions.user_name,
    limit_decisions.reason,
    limit_decisions.carried_from is not null as is_carried,
    limit_decisions.recorded_at
from risk.limit_decisions
inner join risk.publications on limit_decisions.publication_id = publications.publication_id
inner join risk.runs on publications.run_id = runs.run_id;
