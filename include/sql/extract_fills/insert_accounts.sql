-- Stores the statements about accounts that differ from what was said last of the account and day, or of whose history
-- the former account's is.
-- Grain: one row per statement. Reads: staged_accounts, accounts. Writes: accounts. Binds: load_id.
-- Money: base_limit_usd, US dollars. Rerun: stores nothing.
-- Returns the file of each row stored.
with known as (
    select distinct on (accounts.account_id, accounts.valid_from, accounts.former_account_id)
        accounts.valid_from,
        accounts.account_id,
        accounts.display_name,
        accounts.first_traded,
        accounts.last_traded,
        accounts.base_limit_usd,
        accounts.is_disabled,
        accounts.former_account_id,
        accounts.group_name,
        accounts.trader_name
    from risk.accounts
    order by
        accounts.account_id asc,
        accounts.valid_from asc,
        accounts.former_account_id asc,
        accounts.statement_id desc
),

holders as (
    select distinct on (accounts.former_account_id, accounts.valid_from)
        accounts.former_account_id,
        accounts.valid_from,
        accounts.account_id
    from risk.accounts
    where accounts.former_account_id is not null
    order by
        accounts.former_account_id asc,
        accounts.valid_from asc,
        accounts.recorded_at desc,
        accounts.statement_id desc
)

insert into risk.accounts (
    load_id,
    file_name,
    line_number,
    valid_from,
    account_id,
    display_name,
    first_traded,
    last_traded,
    base_limit_usd,
    is_disabled,
    former_account_id,
    group_name,
    trader_name
)
select
    %(load_id)s,
    staged_accounts.file_name,
    staged_accounts.line_number,
    staged_accounts.valid_from,
    staged_accounts.account_id,
    staged_accounts.display_name,
    staged_accounts.first_traded,
    staged_accounts.last_traded,
    staged_accounts.base_limit_usd,
    staged_accounts.is_disabled,
    staged_accounts.former_account_id,
    staged_accounts.group_name,
    staged_accounts.trader_name
from pg_temp.staged_accounts
left join known
    on
        staged_accounts.account_id = known.account_id
        and staged_accounts.valid_from = known.valid_from
        and staged_accounts.former_account_id is not distinct from known.former_account_id
left join holders
    on
        staged_accounts.former_account_id = holders.former_account_id
        and staged_accounts.valid_from = holders.valid_from
where
    known.account_id is null
    or holders.account_id <> staged_accounts.account_id
    or (
        known.display_name, known.first_traded, known.last_traded, known.base_limit_usd, known.is_disabled,
        known.group_name, known.trader_name
    ) is distinct from (
        staged_accounts.display_name, staged_accounts.first_traded, staged_accounts.last_traded,
        staged_accounts.base_limit_usd, staged_accounts.is_disabled, staged_accounts.group_name,
        staged_accounts.trader_name
    )
order by
    staged_accounts.file_name,
    staged_accounts.line_number
returning accounts.file_name;
