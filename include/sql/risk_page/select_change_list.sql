-- Reads every requested change of a limit, and every adopted policy.
-- Grain: one row per change or policy version. Reads: limit_changes, limit_change_decisions, policies. Binds: -.
-- Money: US dollars. state: a change that nobody decided about is pending until it ends. A policy starts with its first
-- session in the exchange's zone; version 0 has none.
select
    'change ' || limit_changes.change_id as subject,
    limit_changes.change_id as subject_number,
    limit_changes.account_id,
    limit_changes.kind,
    limit_changes.limit_usd,
    limit_changes.starts_at,
    limit_changes.ends_at,
    limit_changes.requester_name,
    case
        when decisions.action is not null then decisions.action
        when limit_changes.ends_at <= clock_timestamp() then 'ended'
        else 'pending'
    end as state,
    decisions.user_name as decider_name,
    decisions.recorded_at as decided_at,
    limit_changes.reason,
    limit_changes.recorded_at
from risk.limit_changes
left join risk.limit_change_decisions as decisions on limit_changes.change_id = decisions.change_id
union all
select
    'policy version ' || policies.version as subject,
    policies.version as subject_number,
    null as account_id,
    'policy' as kind,
    null as limit_usd,
    policies.valid_from::timestamp at time zone %(exchange_zone)s as starts_at,
    null as ends_at,
    policies.author as requester_name,
    'approved' as state,
    policies.approver as decider_name,
    policies.recorded_at as decided_at,
    policies.reason,
    policies.recorded_at
from risk.policies;
