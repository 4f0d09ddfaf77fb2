-- Reads the recipients who have the report of a run.
-- Grain: one row per recipient, by address. Reads: report_deliveries.
select report_deliveries.recipient
from risk.report_deliveries
where
    report_deliveries.run_id = %(run_id)s
    and report_deliveries.sent_at is not null
order by report_deliveries.recipient asc;
