-- What went wrong or was decided, as it was known in that moment; the failure mail quotes from it.
-- Grain: one row per event; a task that fails at three attempts leaves three. Reads: -. Writes: audit_log. Binds: -.
-- Money: -. Rerun: applied once. Append only.
-- No session where the failure came before the run's session was known; no error_class where Airflow only had words.
create table audit_log (
    audit_id bigint generated always as identity primary key,
    recorded_at timestamptz not null default clock_timestamp(),
    event text not null check (event in ('failure')),
    dag_id text not null,
    dag_run_id text not null,
    task_id text not null,
    try_number integer not null,
    session_date date,
    error_class text not null,
    message text not null
);
