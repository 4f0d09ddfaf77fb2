create table risk.policy_request_decisions (
    request_id bigint primary key references risk.policy_requests (request_id),
    action text not null check (action in ('approved', 'rejected')),
    seen_sha256 text not null check (seen_sha256 ~ '^[0-9a-f]{64}$'),
    user_id text not null check (user_id <> ''),
    user_name text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.policy_request_decisions is
'Decisions about requests to adopt a policy, by persons logged in to Airflow. Grain: at most one row per request. '
'Append only.';
comment on column risk.policy_request_decisions.request_id is 'Request it decides.';
comment on column risk.policy_request_decisions.action is
'approved = it became a version of policies; rejected; without a row the request is pending.';
comment on column risk.policy_request_decisions.seen_sha256 is
'Hash of what the person was shown: the policy, its first session, the reason and the version it replaces.';
comment on column risk.policy_request_decisions.user_id is 'Airflow''s id of the person.';
comment on column risk.policy_request_decisions.user_name is 'Name of the person.';
comment on column risk.policy_request_decisions.recorded_at is 'When the row was recorded (committed).';
