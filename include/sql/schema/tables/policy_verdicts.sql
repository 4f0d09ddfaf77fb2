create table risk.policy_verdicts (
    verdict_id bigint generated always as identity primary key,
    content_sha256 text not null,
    facts jsonb not null,
    dag_run_id text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

create index policy_verdicts_content on risk.policy_verdicts (content_sha256);

comment on table risk.policy_verdicts is
'Verdicts on the policies of trials, from mornings after each was sealed, as computed in a DAG run. Grain: one row per '
'policy and computation; the newest of a policy is shown. Append only.';
comment on column risk.policy_verdicts.verdict_id is 'Key of the verdict.';
comment on column risk.policy_verdicts.content_sha256 is
'SHA-256 of the policy''s text; the verdict is that of all its trials.';
comment on column risk.policy_verdicts.facts is
'Wealth and what is needed, sessions since it was sealed, since when it is better, and the wealth after each session.';
comment on column risk.policy_verdicts.dag_run_id is 'Airflow''s name of the run that computed it.';
comment on column risk.policy_verdicts.recorded_at is 'When the row was recorded (committed).';
