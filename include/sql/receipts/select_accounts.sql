-- Lists the accounts whose running P&L is known.
-- Grain: one row per account, by name. Reads: running_lows.
select distinct running_lows.account_id
from derived.running_lows
order by running_lows.account_id;
