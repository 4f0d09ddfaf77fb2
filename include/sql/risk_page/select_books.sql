-- Reads a session's books as they are now, whether their own sums agree, and what the source's own books say.
-- Grain: one row per account, by name. Reads: daily_pnl, current_totals. Binds: session_date.
-- Money: US dollars, gains positive, fees positive = cost; null where incomplete.
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
    and daily_pnl.net_pnl_usd + daily_pnl.unrealized_delta_usd = daily_pnl.total_pnl_usd as is_reconciled,
    reported.net_pnl_usd as source_net_pnl_usd,
    round(daily_pnl.net_pnl_usd - reported.net_pnl_usd, 2) as net_difference_usd
from derived.daily_pnl
left join risk.current_totals('infinity') as reported
    on
        daily_pnl.account_id = reported.account_id
        and daily_pnl.session_date = reported.session_date
where daily_pnl.session_date = %(session_date)s
order by daily_pnl.account_id asc;
