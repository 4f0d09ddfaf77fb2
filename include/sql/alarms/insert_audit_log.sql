-- Stores a failed task attempt, a refused request, or a notifier that failed.
-- Grain: one row per failure. Writes: audit_log.
-- Rerun: adds a row.
insert into risk.audit_log (
    event,
    dag_id,
    dag_run_id,
    task_id,
    try_number,
    session_date,
    error_class,
    message,
    log_lines
)
values (
    %(event)s,
    %(dag_id)s,
    %(dag_run_id)s,
    %(task_id)s,
    %(try_number)s,
    %(session_date)s,
    %(error_class)s,
    %(message)s,
    %(log_lines)s
);
