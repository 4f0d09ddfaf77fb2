-- Notes that the mail server took a report for a recipient: it is never sent again.
-- Grain: one row per run and recipient. Reads: -. Writes: report_deliveries. Binds: run_id, recipient.
-- Money: -. Rerun: keeps the first instant.
update report_deliveries set
    last_error = null,
    sent_at = coalesce(report_deliveries.sent_at, clock_timestamp())
where
    report_deliveries.run_id = %(run_id)s
    and report_deliveries.recipient = %(recipient)s;
