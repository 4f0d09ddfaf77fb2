-- Reads whether a DAG would run (Airflow's own database).
-- Grain: at most one row. Reads: dag. Writes: -. Binds: dag_id. Money: -. Rerun: reads only.
select
    dag.is_paused,
    dag.is_stale,
    dag.has_import_errors
from dag
where dag.dag_id = %(dag_id)s
order by dag.dag_id asc;
