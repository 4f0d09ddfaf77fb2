create table risk.policy_trial_outcomes (
    outcome_id bigint generated always as identity primary key,
    trial_number bigint not null references risk.policy_trials (trial_number),
    facts jsonb not null,
    dag_run_id text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

create index policy_trial_outcomes_trial on risk.policy_trial_outcomes (trial_number);

comment on table risk.policy_trial_outcomes is
'What a trial changes on past mornings and what became of it, as computed in a DAG run with the books of that instant; '
'exploratory. Grain: one row per computation; the newest of a trial is shown. Append only.';
comment on column risk.policy_trial_outcomes.outcome_id is 'Key of the outcome.';
comment on column risk.policy_trial_outcomes.trial_number is 'Trial.';
comment on column risk.policy_trial_outcomes.facts is
'As riskctl policy what-if --json prints them; of very many changes the first.';
comment on column risk.policy_trial_outcomes.dag_run_id is 'Airflow''s name of the run that computed it.';
comment on column risk.policy_trial_outcomes.recorded_at is 'When the row was recorded (committed).';
