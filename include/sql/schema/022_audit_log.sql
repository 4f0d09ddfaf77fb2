-- Failures and decisions, so that an alarm can say what happened after the process is gone.
-- Grain: one row per event. Reads: -. Writes: audit_log. Binds: -. Money: -. Rerun: applied once. Append only.
create table audit_log (
    event_id bigint generated always as identity primary key,
    recorded_at timestamptz not null default clock_timestamp(),
    dag_run_id text not null,
    task_id text not null,
    event text not null,
    detail text not null
);
