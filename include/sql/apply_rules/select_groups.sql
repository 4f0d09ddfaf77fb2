-- Reads the group of each account that the roster gives one.
-- Grain: one row per account with a group. Reads: current_accounts. Binds: effective_session, as_of.
select
    known.account_id,
    known.group_name
from risk.current_accounts(%(effective_session)s, %(as_of)s) as known
where known.group_name is not null
order by known.account_id;
