-- Reads why one attempt of a task failed, and how its log ended.
-- Grain: at most one row, the newest. Reads: audit_log.
select
    audit_log.error_class,
    audit_log.message,
    audit_log.log_lines
from risk.audit_log
where
    audit_log.event in ('failure', 'refused request')
    and audit_log.dag_id = %(dag_id)s
    and audit_log.dag_run_id = %(dag_run_id)s
    and audit_log.task_id = %(task_id)s
    and audit_log.try_number = %(try_number)s
order by audit_log.audit_id desc
limit 1;
