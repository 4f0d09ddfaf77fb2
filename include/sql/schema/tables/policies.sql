create table risk.policies (
    version integer primary key check (version >= 0),
    policy_text text not null,
    content_sha256 text not null,
    valid_from date,
    author text not null check (author <> ''),
    reason text not null check (reason <> ''),
    approver text,
    recorded_at timestamptz not null default clock_timestamp(),
    check ((version = 0) = (valid_from is null))
);

comment on table risk.policies is
'Adopted policies: every threshold a risk manager may change. A run uses the newest version that is valid from its '
'effective session or earlier and was recorded by its as_of; version 0, stored at set-up, is known at all times. '
'Grain: one row per version. Append only.';
comment on column risk.policies.version is '0 at set-up, then 1, 2, ... in the order of adoption.';
comment on column risk.policies.policy_text is 'The policy as written, YAML.';
comment on column risk.policies.content_sha256 is 'SHA-256 of the text.';
comment on column risk.policies.valid_from is 'First effective session it applies to; null = version 0, all sessions.';
comment on column risk.policies.author is
'Who asked for it: name of the person logged in to Airflow, or user and machine of the command line.';
comment on column risk.policies.reason is 'Why, in the author''s words.';
comment on column risk.policies.approver is 'Second person who approved it; null = none was required.';
comment on column risk.policies.recorded_at is 'When the row was recorded (committed).';
