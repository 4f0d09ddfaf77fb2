-- Reads which DAG files Airflow cannot parse, and why (Airflow's database).
-- Grain: one row per file. Reads: import_error.
select
    import_error.filename,
    import_error.stacktrace
from public.import_error
order by import_error.filename asc;
