-- Lists the accounts that are booked in a range of sessions.
-- Grain: one row per account, by name. Reads: daily_pnl. Binds: first_session_date, last_session_date.
select distinct daily_pnl.account_id
from derived.daily_pnl
where daily_pnl.session_date between %(first_session_date)s and %(last_session_date)s
order by daily_pnl.account_id asc;
