-- Reads the mails of some sessions' reports that a server accepted until an instant, or those it had not.
-- Grain: one row per report and recipient. Reads: report_deliveries, runs.
-- Binds: first_session, last_session, until (instant), is_accepted.
-- The answer is read by name: warehouses without it have none.
select
    runs.session_date,
    runs.effective_session,
    runs.revision,
    report_deliveries.run_id,
    report_deliveries.recipient,
    report_deliveries.message_id,
    report_deliveries.attempt_count,
    report_deliveries.last_error,
    report_deliveries.sent_at,
    to_jsonb(report_deliveries) ->> 'answer' as server_answer
from risk.report_deliveries
inner join risk.runs on report_deliveries.run_id = runs.run_id
where
    runs.session_date between %(first_session)s and %(last_session)s
    and coalesce(report_deliveries.sent_at <= %(until)s::timestamptz, false) = %(is_accepted)s
order by
    runs.session_date asc,
    report_deliveries.run_id asc,
    report_deliveries.recipient asc;
