create table risk.alarms (
    kind text not null check (kind in ('failure', 'recovery', 'lateness')),
    dag_id text not null,
    dag_run_id text not null,
    clear_number integer not null,
    subject text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (dag_id, dag_run_id, kind, clear_number)
);

comment on table risk.alarms is
'Alert mails that were sent, so that each is sent once. Grain: one row per kind of alert, Airflow run and '
'clearing of it. Append only.';
comment on column risk.alarms.kind is 'failure, recovery or lateness.';
comment on column risk.alarms.dag_id is 'Airflow''s DAG.';
comment on column risk.alarms.dag_run_id is 'Airflow''s run.';
comment on column risk.alarms.clear_number is 'How often the Airflow run had been cleared.';
comment on column risk.alarms.subject is 'Subject of the mail.';
comment on column risk.alarms.recorded_at is 'When the row was recorded (committed).';
