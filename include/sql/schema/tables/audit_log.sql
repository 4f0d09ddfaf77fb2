create table risk.audit_log (
    audit_id bigint generated always as identity primary key,
    recorded_at timestamptz not null default clock_timestamp(),
    event text not null check (event in ('failure', 'refused request', 'withdrawal', 'withdrawal undone', 'notifier')),
    dag_id text not null,
    dag_run_id text not null,
    task_id text not null,
    try_number integer not null,
    session_date date,
    error_class text not null,
    message text not null,
    log_lines text[] not null default '{}'
);

create index audit_log_dag_run on risk.audit_log (dag_run_id, dag_id);

comment on table risk.audit_log is
'Failures of tasks as they were known at that moment, which the failure mail quotes, requests by hand for what does '
'not exist, withdrawals of deliveries, and notifiers that failed. '
'Grain: one row per event; a task that fails at three attempts leaves three. Append only.';
comment on column risk.audit_log.audit_id is 'Key of the event.';
comment on column risk.audit_log.recorded_at is 'When the row was recorded (committed).';
comment on column risk.audit_log.event is 'Kind of event.';
comment on column risk.audit_log.dag_id is 'Airflow''s DAG; empty for a command.';
comment on column risk.audit_log.dag_run_id is 'Airflow''s run; empty for a command.';
comment on column risk.audit_log.task_id is 'Airflow''s task, or the command; "notifier" for a notifier.';
comment on column risk.audit_log.try_number is 'Attempt of the task.';
comment on column risk.audit_log.session_date is 'Session of the run; null where the failure came before it was known.';
comment on column risk.audit_log.error_class is 'Class of the error; empty where Airflow gave only a message.';
comment on column risk.audit_log.message is 'The error''s message, without the secrets that Airflow knows.';
comment on column risk.audit_log.log_lines is
'Last lines of the task''s log, oldest first, at most 50, as the machine that ran the task wrote them. None for a '
'task that was killed, and for commands.';
