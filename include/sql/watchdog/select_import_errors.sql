-- Reads which DAG files Airflow cannot read, and the last line of the reason (Airflow's own database).
-- Grain: one row per file. Reads: import_error. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    import_error.filename,
    import_error.stacktrace
from import_error
order by import_error.filename asc;
