-- Sums the desk's session over the accounts that traded.
-- Grain: one row. Reads: daily_pnl.
-- Money: US dollars, gains positive; null if nobody traded or no books are complete. Both sums exclude accounts with
-- incomplete books, even if their net P&L is known.
select
    count(*) as traded_account_count,
    count(daily_pnl.incomplete_reason) as incomplete_account_count,
    coalesce(sum(daily_pnl.fill_count), 0)::bigint as fill_count,
    sum(daily_pnl.net_pnl_usd) filter (where daily_pnl.incomplete_reason is null) as net_pnl_usd,
    sum(daily_pnl.total_pnl_usd) as total_pnl_usd
from derived.daily_pnl
where
    daily_pnl.session_date = %(session_date)s
    and daily_pnl.fill_count > 0;
