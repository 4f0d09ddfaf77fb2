-- Reads which recipients of a run's report have it: the server took their mail.
-- Grain: one row per recipient, by address. Reads: report_deliveries. Writes: -. Binds: run_id. Money: -.
-- Rerun: reads only.
select report_deliveries.recipient
from risk.report_deliveries
where
    report_deliveries.run_id = %(run_id)s
    and report_deliveries.sent_at is not null
order by report_deliveries.recipient asc;
