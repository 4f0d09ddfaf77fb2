create table risk.policy_trials (
    trial_number bigint primary key check (trial_number > 0),
    trial_sha256 text not null unique,
    policy_text text not null,
    content_sha256 text not null,
    first_session date not null,
    last_session date not null,
    author text not null check (author <> ''),
    recorded_at timestamptz not null default clock_timestamp(),
    check (first_session <= last_session)
);

comment on table risk.policy_trials is
'Policies that were tried on past mornings, sealed before anything was computed: the same policy and range are the '
'same trial. Nothing of a result is stored. Grain: one row per trial. Append only.';
comment on column risk.policy_trials.trial_number is '1, 2, ... in the order of sealing.';
comment on column risk.policy_trials.trial_sha256 is 'SHA-256 of the policy''s text and the range.';
comment on column risk.policy_trials.policy_text is 'The policy as written, YAML.';
comment on column risk.policy_trials.content_sha256 is 'SHA-256 of the policy''s text.';
comment on column risk.policy_trials.first_session is 'First effective session of the range.';
comment on column risk.policy_trials.last_session is 'Last effective session of the range.';
comment on column risk.policy_trials.author is 'Who tried it: user and machine of the command line.';
comment on column risk.policy_trials.recorded_at is
'When it was sealed (committed): only later mornings count for its verdict.';
