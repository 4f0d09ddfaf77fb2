-- Reads the books of one account-session as they are now, with the session's hours.
-- Grain: at most one row. Reads: daily_pnl, sessions. Binds: account_id, session_date.
-- Money: US dollars, gains positive, fees positive = cost; null where the books are incomplete.
select
    daily_pnl.fill_count,
    daily_pnl.turnover_usd,
    daily_pnl.gross_pnl_usd,
    daily_pnl.fees_usd,
    daily_pnl.net_pnl_usd,
    daily_pnl.unrealized_delta_usd,
    daily_pnl.total_pnl_usd,
    daily_pnl.incomplete_reason,
    sessions.opens_at,
    sessions.closes_at
from derived.daily_pnl
inner join risk.sessions on daily_pnl.session_date = sessions.session_date
where
    daily_pnl.account_id = %(account_id)s
    and daily_pnl.session_date = %(session_date)s;
