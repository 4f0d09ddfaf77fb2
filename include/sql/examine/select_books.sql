-- Reads the P&L of an account's sessions as the books have it now.
-- Grain: one row per account-session. Reads: daily_pnl. Binds: names, first_session, last_session. Money: US dollars.
select
    daily_pnl.account_id,
    daily_pnl.session_date,
    daily_pnl.total_pnl_usd,
    daily_pnl.incomplete_reason
from derived.daily_pnl
where
    daily_pnl.account_id = any(%(names)s)
    and daily_pnl.session_date between %(first_session)s and %(last_session)s
order by
    daily_pnl.session_date asc,
    daily_pnl.account_id asc;
