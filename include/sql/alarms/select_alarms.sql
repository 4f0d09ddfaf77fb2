-- Reads the alerts sent for a run.
-- Grain: one row per kind and clearing. Reads: alarms.
select
    alarms.kind,
    alarms.clear_number
from risk.alarms
where
    alarms.dag_id = %(dag_id)s
    and alarms.dag_run_id = %(dag_run_id)s
order by
    alarms.clear_number asc,
    alarms.kind asc;
