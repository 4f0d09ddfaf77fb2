-- Lists the excerpts of a run that no mail server has accepted, with the last error.
-- Grain: one row per group and recipient. Reads: excerpt_deliveries. Binds: run_id.
select
    excerpt_deliveries.group_name,
    excerpt_deliveries.recipient,
    excerpt_deliveries.last_error
from risk.excerpt_deliveries
where
    excerpt_deliveries.run_id = %(run_id)s
    and excerpt_deliveries.sent_at is null
order by
    excerpt_deliveries.group_name asc,
    excerpt_deliveries.recipient asc;
