-- Lists the account names that cannot be told apart from another one.
-- Grain: one row per name. Reads: staged_names. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    staged_names.account_id,
    staged_names.twin_account_id
from staged_names
where staged_names.code = 'account_collision'
order by staged_names.account_id;
