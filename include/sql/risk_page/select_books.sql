-- Reads a session's books as they are known now, and whether their own sums agree.
-- Grain: one row per account, by name. Reads: daily_pnl. Writes: -. Binds: session_date.
-- Money: US dollars, gains positive, fees positive = cost; null where incomplete. Rerun: reads only.
select
    daily_pnl.account_id,
    daily_pnl.fill_count,
    daily_pnl.gross_pnl_usd,
    daily_pnl.fees_usd,
    daily_pnl.net_pnl_usd,
    daily_pnl.unrealized_delta_usd,
    daily_pnl.total_pnl_usd,
    daily_pnl.incomplete_reason,
    daily_pnl.gross_pnl_usd - daily_pnl.fees_usd = daily_pnl.net_pnl_usd
    and daily_pnl.net_pnl_usd + daily_pnl.unrealized_delta_usd = daily_pnl.total_pnl_usd as is_reconciled
from daily_pnl
where daily_pnl.session_date = %(session_date)s
order by daily_pnl.account_id asc;
