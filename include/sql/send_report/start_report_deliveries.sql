-- Stores an attempt to mail a report, before it is made; touches no row if the recipient has the report, or if a later
-- revision of the session has one.
-- Grain: one row per run and recipient. Writes: report_deliveries.
-- Rerun: counts one more attempt.
insert into risk.report_deliveries as known (
    run_id,
    recipient,
    message_id,
    attempt_count
)
select
    %(run_id)s,
    %(recipient)s,
    %(message_id)s,
    1
where not risk.has_later_report(%(run_id)s)
on conflict (run_id, recipient) do update set
    attempt_count = known.attempt_count + 1
where known.sent_at is null;
