create table risk.policy_requests (
    request_id bigint generated always as identity primary key,
    policy_text text not null,
    content_sha256 text not null,
    valid_from date not null,
    reason text not null check (reason <> ''),
    requested_by text not null check (requested_by <> ''),
    requester_name text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

comment on table risk.policy_requests is
'Policies that persons asked to adopt under dual control; a version once a second person approved, see '
'policy_request_decisions. Grain: one row per request. Append only.';
comment on column risk.policy_requests.request_id is 'Key of the request.';
comment on column risk.policy_requests.policy_text is 'The policy as written, YAML.';
comment on column risk.policy_requests.content_sha256 is 'SHA-256 of the text.';
comment on column risk.policy_requests.valid_from is 'First effective session it shall apply to.';
comment on column risk.policy_requests.reason is 'Why, in the words of the person.';
comment on column risk.policy_requests.requested_by is
'Who asked: Airflow''s id of the person, or user@host of the command line.';
comment on column risk.policy_requests.requester_name is 'Name of the person.';
comment on column risk.policy_requests.recorded_at is 'When the row was recorded (committed).';
