-- Reads every account that somebody has named: one that delivered fills, or that a file states.
-- Grain: one row per account, by name. Reads: deliveries, accounts.
select deliveries.account_id
from risk.deliveries
union
select accounts.account_id
from risk.accounts
order by account_id;
