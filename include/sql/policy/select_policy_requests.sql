-- Reads requests to adopt a policy with their decisions, as known at an instant, newest first.
-- Grain: one row per request. Reads: policy_requests, policy_request_decisions. Writes: -. Binds: as_of (infinity =
-- now). Money: -. Rerun: reads only.
select
    policy_requests.request_id,
    policy_requests.policy_text,
    policy_requests.valid_from,
    policy_requests.reason,
    policy_requests.requested_by,
    policy_requests.requester_name,
    policy_requests.recorded_at,
    decisions.action,
    decisions.user_id as decided_by,
    decisions.user_name as decider_name,
    decisions.recorded_at as decided_at
from risk.policy_requests
left join risk.policy_request_decisions as decisions
    on
        policy_requests.request_id = decisions.request_id
        and decisions.recorded_at <= %(as_of)s
where policy_requests.recorded_at <= %(as_of)s
order by policy_requests.request_id desc;
