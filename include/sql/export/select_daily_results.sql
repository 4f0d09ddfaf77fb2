-- Reads the daily results of every account as the books of this connection have them.
-- Grain: one row per account-session. Reads: daily_pnl. Binds: through_session_date. Money: US dollars, gains positive.
select
    daily_pnl.account_id,
    daily_pnl.session_date,
    daily_pnl.fill_count,
    daily_pnl.volume,
    daily_pnl.gross_pnl_usd,
    daily_pnl.fees_usd,
    daily_pnl.net_pnl_usd,
    daily_pnl.unrealized_pnl_usd,
    daily_pnl.unrealized_delta_usd,
    daily_pnl.total_pnl_usd,
    daily_pnl.incomplete_reason
from derived.daily_pnl
where daily_pnl.session_date <= %(through_session_date)s
order by
    daily_pnl.account_id asc,
    daily_pnl.session_date asc;
