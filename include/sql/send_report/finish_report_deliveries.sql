-- Stores the outcome of an attempt to mail a report: the error, or that the mail server accepted it.
-- Grain: one row per run and recipient.
-- Writes: report_deliveries.
-- Binds: last_error; null = accepted, and the mail is never sent again. answer: how the server accepted it.
-- Rerun: keeps the first instant of acceptance and the last error.
update risk.report_deliveries set
    last_error = %(last_error)s,
    answer = case when %(last_error)s::text is null then %(answer)s else report_deliveries.answer end,
    sent_at = case
        when %(last_error)s::text is null then coalesce(report_deliveries.sent_at, clock_timestamp())
        else report_deliveries.sent_at
    end
where
    report_deliveries.run_id = %(run_id)s
    and report_deliveries.recipient = %(recipient)s;
