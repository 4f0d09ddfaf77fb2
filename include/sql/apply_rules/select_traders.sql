-- Reads who trades each account of which the roster says so.
-- Grain: one row per account with a trader. Reads: current_accounts. Binds: effective_session, as_of.
select
    known.account_id,
    known.trader_name
from risk.current_accounts(%(effective_session)s, %(as_of)s) as known
where known.trader_name is not null
order by known.account_id;
