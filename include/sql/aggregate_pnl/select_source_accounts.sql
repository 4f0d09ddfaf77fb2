-- Lists the names under which sources may have delivered some accounts: their own and those that became theirs.
-- Grain: one row per name. Reads: renamed_accounts. Binds: as_of, account_ids.
select listed.account_id as source_account_id
from unnest(%(account_ids)s::text[]) as listed (account_id)
union
select renamed.former_account_id as source_account_id
from risk.renamed_accounts(%(as_of)s) as renamed
where renamed.account_id = any(%(account_ids)s::text[])
order by source_account_id;
