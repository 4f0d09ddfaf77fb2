-- Lists the accounts of which anything was delivered.
-- Grain: one row per account. Reads: deliveries. Rerun: reads only.
select distinct deliveries.account_id
from risk.deliveries
order by deliveries.account_id;
