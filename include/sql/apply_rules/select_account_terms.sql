-- Reads what the roster states about the limits of accounts.
-- Grain: one row per account with a statement. Reads: current_accounts. Binds: effective_session, as_of.
-- Money: US dollars; null = not stated.
select
    known.account_id,
    known.base_limit_usd,
    known.group_name
from risk.current_accounts(%(effective_session)s, %(as_of)s) as known
where
    known.base_limit_usd is not null
    or known.group_name is not null
order by known.account_id;
