-- Reads the register's changes with their decisions, as known at an instant.
-- Grain: one row per change, by account and key. Reads: limit_changes, limit_change_decisions, renamed_accounts.
-- Binds: as_of, account_id (null = all). Money: US dollars. A change under a former name is the present one's.
with known as (
    select
        coalesce(renamed.account_id, limit_changes.account_id) as account_id,
        limit_changes.change_id,
        limit_changes.kind,
        limit_changes.limit_usd,
        limit_changes.starts_at,
        limit_changes.ends_at,
        limit_changes.reason,
        limit_changes.requested_by,
        limit_changes.requester_name,
        limit_changes.needs_second_person,
        limit_changes.replaces,
        limit_changes.recorded_at,
        decisions.action,
        decisions.user_id as decided_by,
        decisions.user_name as decider_name,
        decisions.recorded_at as decided_at
    from risk.limit_changes
    left join risk.limit_change_decisions as decisions
        on
            limit_changes.change_id = decisions.change_id
            and decisions.recorded_at <= %(as_of)s
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            limit_changes.account_id = renamed.former_account_id
            and (limit_changes.recorded_at at time zone %(exchange_zone)s)::date >= renamed.starts_at
            and (limit_changes.recorded_at at time zone %(exchange_zone)s)::date < renamed.ends_before
    where limit_changes.recorded_at <= %(as_of)s
)

select
    known.account_id,
    known.change_id,
    known.kind,
    known.limit_usd,
    known.starts_at,
    known.ends_at,
    known.reason,
    known.requested_by,
    known.requester_name,
    known.needs_second_person,
    known.replaces,
    known.recorded_at,
    known.action,
    known.decided_by,
    known.decider_name,
    known.decided_at
from known
where %(account_id)s::text is null or known.account_id = %(account_id)s
order by
    known.account_id asc,
    known.change_id asc;
