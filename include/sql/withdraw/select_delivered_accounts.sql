-- Lists the accounts for which something was delivered for a session, as the source names them.
-- Grain: one row per account. Reads: deliveries. Binds: session_date.
select distinct deliveries.account_id
from risk.deliveries
where deliveries.session_date = %(session_date)s
order by deliveries.account_id;
