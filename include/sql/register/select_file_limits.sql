-- Reads the base limits that accounts files state, each that differs from the one stated before.
-- Grain: one row per account and new base limit, by account and day. Reads: accounts, renamed_accounts. Binds: as_of.
-- Money: US dollars. A statement about a former name holds for the present one.
with stated as (
    select
        accounts.valid_from,
        accounts.recorded_at,
        accounts.statement_id,
        accounts.file_name,
        accounts.line_number,
        accounts.base_limit_usd,
        coalesce(renamed.account_id, accounts.account_id) as account_id
    from risk.accounts
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            accounts.account_id = renamed.former_account_id
            and accounts.valid_from >= renamed.starts_at
            and accounts.valid_from < renamed.ends_before
    where
        accounts.base_limit_usd is not null
        and accounts.recorded_at <= %(as_of)s
),

compared as (
    select
        stated.*,
        lag(stated.base_limit_usd) over (
            partition by stated.account_id
            order by stated.valid_from asc, stated.recorded_at asc, stated.statement_id asc
        ) as previous_limit_usd
    from stated
)

select
    compared.account_id,
    compared.base_limit_usd as limit_usd,
    compared.valid_from,
    compared.recorded_at,
    compared.file_name,
    compared.line_number
from compared
where compared.base_limit_usd is distinct from compared.previous_limit_usd
order by
    compared.account_id asc,
    compared.valid_from asc,
    compared.recorded_at asc,
    compared.statement_id asc;
