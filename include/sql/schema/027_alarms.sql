-- The alarm mails that left the house, so that each leaves once.
-- Grain: one row per kind of alarm, Airflow run and clearing of it. Reads: -. Writes: alarms. Binds: -. Money: -.
-- Rerun: applied once; kept.
create table alarms (
    kind text not null check (kind in ('failure', 'recovery', 'lateness')),
    dag_id text not null,
    dag_run_id text not null,
    clear_number integer not null,
    subject text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (dag_id, dag_run_id, kind, clear_number)
);
