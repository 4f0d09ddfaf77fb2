-- Notes why an attempt to mail a report failed.
-- Grain: one row per run and recipient. Reads: -. Writes: report_deliveries. Binds: run_id, recipient, last_error.
-- Money: -. Rerun: the newest error stays.
update report_deliveries set
    last_error = %(last_error)s
where
    report_deliveries.run_id = %(run_id)s
    and report_deliveries.recipient = %(recipient)s;
