-- Reads the newest failure of a DAG, unless the run recovered, or a later run was reported or mailed.
-- Grain: at most one row. Reads: audit_log, reports, runs, report_deliveries, alarms. Binds: dag_id.
-- message: its first line, short. A point-in-time run is a dry run: its report is no recovery.
with newest as (
    select
        audit_log.recorded_at,
        audit_log.dag_run_id,
        audit_log.task_id,
        audit_log.session_date,
        left(split_part(audit_log.message, E'\n', 1), 400) as message
    from risk.audit_log
    where
        audit_log.event = 'failure'
        and audit_log.dag_id = %(dag_id)s
    order by audit_log.audit_id desc
    limit 1
)

select
    newest.recorded_at,
    newest.task_id,
    newest.session_date,
    newest.message
from newest
where
    not exists (
        select
        from risk.reports
        inner join risk.runs on reports.run_id = runs.run_id
        where
            reports.recorded_at > newest.recorded_at
            and not runs.is_point_in_time
    )
    and not exists (
        select
        from risk.report_deliveries
        where report_deliveries.sent_at > newest.recorded_at
    )
    and not exists (
        select
        from risk.alarms
        where
            alarms.kind = 'recovery'
            and alarms.dag_run_id = newest.dag_run_id
            and alarms.recorded_at > newest.recorded_at
    );
