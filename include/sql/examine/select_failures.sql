-- Reads failures of the morning line for some sessions.
-- Grain: one row per failed attempt of a task. Reads: audit_log. Binds: first_session, last_session.
select
    audit_log.session_date,
    audit_log.recorded_at,
    audit_log.task_id,
    audit_log.message
from risk.audit_log
where
    audit_log.event = 'failure'
    and audit_log.session_date between %(first_session)s and %(last_session)s
order by audit_log.audit_id;
