-- Lists the account names that cannot be told apart from another one.
-- Grain: one row per name. Reads: staged_accounts. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    staged_accounts.account_id,
    staged_accounts.twin_account_id
from staged_accounts
where staged_accounts.code = 'account_collision'
order by staged_accounts.account_id;
