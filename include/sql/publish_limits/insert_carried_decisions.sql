-- Repeats for a publication what persons had decided about an account in an earlier one.
-- Grain: one row per earlier edit and outcome of the account. Reads: limit_decisions. Writes: limit_decisions.
-- Binds: publication_id, earlier_publication_id, account_id. Rerun: the caller opens a publication once.
insert into risk.limit_decisions (
    publication_id,
    account_id,
    action,
    limit_usd,
    reason,
    user_id,
    user_name,
    seen_sha256,
    shown_at,
    carried_from
)
select
    %(publication_id)s as publication_id,
    decisions.account_id,
    decisions.action,
    decisions.limit_usd,
    decisions.reason,
    decisions.user_id,
    decisions.user_name,
    decisions.seen_sha256,
    decisions.shown_at,
    coalesce(decisions.carried_from, decisions.decision_id) as carried_from
from risk.limit_decisions as decisions
where
    decisions.publication_id = %(earlier_publication_id)s
    and decisions.account_id = %(account_id)s
    and decisions.user_id <> ''
order by decisions.decision_id asc;
