-- Stores that an alert was sent.
-- Grain: one row per kind, run and clearing. Writes: alarms.
-- Rerun: keeps the first.
insert into risk.alarms (
    kind,
    dag_id,
    dag_run_id,
    clear_number,
    subject
)
values (
    %(kind)s,
    %(dag_id)s,
    %(dag_run_id)s,
    %(clear_number)s,
    %(subject)s
)
on conflict (dag_id, dag_run_id, kind, clear_number) do nothing;
