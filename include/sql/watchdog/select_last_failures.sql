-- Reads the newest failure stored since an instant.
-- Grain: at most one row. Reads: audit_log.
select
    audit_log.recorded_at,
    audit_log.task_id,
    audit_log.message
from risk.audit_log
where
    audit_log.event = 'failure'
    and audit_log.recorded_at >= %(since)s
order by audit_log.audit_id desc
limit 1;
