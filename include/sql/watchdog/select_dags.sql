-- Reads whether a DAG is active (Airflow's database).
-- Grain: at most one row. Reads: dag.
select
    dag.is_paused,
    dag.is_stale,
    dag.has_import_errors
from public.dag
where dag.dag_id = %(dag_id)s
order by dag.dag_id asc;
