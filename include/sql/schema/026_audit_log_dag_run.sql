-- Finds the events of one Airflow run.
-- Grain: -. Reads: -. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index audit_log_dag_run on audit_log (dag_run_id, dag_id);
