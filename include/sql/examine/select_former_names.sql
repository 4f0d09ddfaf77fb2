-- Reads the former names of an account.
-- Grain: one row per former account. Reads: renamed_accounts. Binds: account_id, as_of.
select distinct renamed.former_account_id
from risk.renamed_accounts(%(as_of)s) as renamed
where renamed.account_id = %(account_id)s
order by renamed.former_account_id;
